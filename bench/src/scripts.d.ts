// What is used here of the checkout's own scripts, which are plain JavaScript.

declare module '*/scripts/jupyter/launch.mjs' {
  export interface LaunchOptions {
    readonly root: string;
    readonly home: string;
    readonly workspace: string;
    readonly port?: number;
    readonly page?: string;
    readonly env?: Readonly<Record<string, string>>;
    readonly args?: readonly string[];
  }
  export interface LaunchedJupyter {
    readonly url: string;
    readonly pid: number;
    readonly log: string;
    readonly stop: () => Promise<void>;
  }
  export function launchJupyter(options: LaunchOptions): Promise<LaunchedJupyter>;
}
