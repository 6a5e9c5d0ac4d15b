export { createProgram } from './program.js';
export { createContext, type CliContext } from './context.js';
