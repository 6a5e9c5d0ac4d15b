// What the tests use of the checkout's own scripts, which are plain JavaScript.

declare module '*/scripts/jupyter/launch.mjs' {
  export interface LaunchOptions {
    readonly root: string;
    readonly home: string;
    readonly workspace: string;
    readonly port?: number;
    readonly token?: string;
    readonly baseUrl?: string;
    readonly app?: 'lab' | 'notebook';
    readonly page?: string;
    readonly env?: Readonly<Record<string, string>>;
  }
  export interface LaunchedJupyter {
    readonly url: string;
    readonly baseUrl: string;
    readonly token: string;
    readonly port: number;
    readonly pid: number;
    readonly log: string;
    readonly stop: () => Promise<void>;
  }
  export function launchJupyter(options: LaunchOptions): Promise<LaunchedJupyter>;
  export function freePort(first: number): Promise<number>;
}

declare module '*/scripts/demo/state.mjs' {
  export interface DemoOptions {
    readonly root: string;
    readonly home: string;
    /** Runs the command with arguments and gives its JSON reply. */
    readonly cloister: (args: readonly string[]) => Promise<unknown>;
    readonly report: (what: string) => void;
  }
  export function ensureDemoState(options: DemoOptions): Promise<boolean>;
}
