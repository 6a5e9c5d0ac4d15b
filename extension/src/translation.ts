/** Our own translation domain: no string of ours is looked up among JupyterLab's. */
export const DOMAIN = 'cloister';
