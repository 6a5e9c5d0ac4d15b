import type { World } from './world.js';

export const OWNERS = { hospital: 'measurements', registry: 'outcomes' } as const;

/** The owner stops her policy: nobody may open the asset until `allowAgain`. */
export async function stopPolicy(world: World, owner: keyof typeof OWNERS): Promise<void> {
  await world.json(['policy', 'stop', OWNERS[owner], '--owner', `${world.home}/owners/${owner}`]);
}

/** The demo's policy of the owner is in force again. */
export async function allowAgain(world: World, owner: keyof typeof OWNERS): Promise<void> {
  await world.json(['policy', 'sign', `${world.home}/owners/${owner}-policy.json`, '--owner', `${world.home}/owners/${owner}`]);
}
