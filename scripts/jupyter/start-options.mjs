import { parseArgs } from 'node:util';

import { SetupError } from '../setup/setup-error.mjs';

export const HELP = `npm start [-- OPTION...]   starts JupyterLab on the demo and prints its URL

  --port PORT        instead of 8888 or the next that is free
  --ip ADDRESS       address to listen at, instead of this machine alone (127.0.0.1)
  --base-url PATH    path below which all URLs lie, as behind a reverse proxy
  --no-browser       opens no browser; without a display none is opened anyway
  --built            starts what is built already, for whoever is in the middle of a change
  --Class.name=VALUE any setting of Jupyter, as its own documentation names it
  --help`;

const OPTIONS = {
  port: { type: 'string' },
  ip: { type: 'string' },
  'base-url': { type: 'string' },
  'no-browser': { type: 'boolean' },
  built: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' }
};

/**
 * What `npm start` was asked for.
 * @throws SetupError naming what is not understood
 */
export function readStartOptions(argv, env = process.env) {
  const settings = argv.filter(arg => /^--[A-Z]\w*\.\w+=/.test(arg));
  const { values } = parse(argv.filter(arg => !settings.includes(arg)));
  const display = Boolean(env.DISPLAY || env.WAYLAND_DISPLAY);
  return {
    help: values.help === true,
    built: values.built === true,
    jupyter: {
      ...(values.port === undefined ? {} : { port: portOf(values.port) }),
      ...(values.ip === undefined ? {} : { ip: values.ip }),
      ...(values['base-url'] === undefined ? {} : { baseUrl: `/${values['base-url'].replace(/^\/+|\/+$/g, '')}/`.replace('//', '/') }),
      openBrowser: display && values['no-browser'] !== true,
      args: settings
    }
  };
}

function parse(args) {
  try {
    return parseArgs({ args, options: OPTIONS, allowPositionals: false });
  } catch (error) {
    throw new SetupError(`npm start: ${error.message}`, HELP);
  }
}

function portOf(text) {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) throw new SetupError(`npm start: ${text} is no port.`, HELP);
  return port;
}
