import { processesOf, signalProcess, type FoundProcess } from '../../e2e/harness/processes.js';
import type { World } from './world.js';

/** What can break down beside a page: the agent behind Jupyter's proxy, and the services of this machine. */
export type Service = 'agent' | 'daemon';

/** The agent is first the Python program that looks after its start, then the Node that this becomes. */
const COMMANDS: Readonly<Record<Service, RegExp>> = { agent: /\/agent\.mjs |\/start_agent\.py /, daemon: /\/embedded\/lib\/main\.js / };

/** Processes of a service over the world's state directory, as they run now. */
export function runningOf(world: World, service: Service): FoundProcess[] {
  return processesOf(world.root).filter(({ command }) => COMMANDS[service].test(`${command} `));
}

/** Kills what runs of a service, as no program can prevent; gives the pids. */
export function killService(world: World, service: Service): number[] {
  return runningOf(world, service).map(({ pid }) => pid).filter(pid => signalProcess(pid, 'SIGKILL'));
}
