import type { ShownElsewhere } from '../format.js';

/** Reasons that only a whole service can show. Paths from the root of the repository; a test holds them to exist. */
export const SHOWN_ELSEWHERE: readonly ShownElsewhere[] = [];
