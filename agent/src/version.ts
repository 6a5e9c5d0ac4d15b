/** Version of this package, as package.json says; written out, so that a bundle needs no file beside it. */
export const AGENT_VERSION = '0.1.0';
