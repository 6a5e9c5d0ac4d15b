/** How far the verifier’s clock and ours may be apart, in seconds. */
export const SKEW_SECONDS = 60;
