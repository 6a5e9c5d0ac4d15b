/** The browser: $CHROMIUM, else where Linux distributions put it. */
export function chromiumProgram(): string {
  const given = process.env['CHROMIUM'];
  return given === undefined || given === '' ? '/usr/bin/chromium' : given;
}
