/** Opens what is folded for as long as the page is printed. */
export function openInPrint(view: Window): void {
  let opened: readonly HTMLDetailsElement[] = [];
  view.addEventListener('beforeprint', () => {
    const folded = Array.from(view.document.querySelectorAll<HTMLDetailsElement>('details:not([open]):not(.no-print)'));
    for (const details of folded) details.open = true;
    opened = folded;
  });
  view.addEventListener('afterprint', () => {
    for (const details of opened) details.open = false;
    opened = [];
  });
}
