/**
 * Randomness as a function of its coordinates: the same seed and place always give the same number, in any order
 * of asking. So a market can be looked at anywhere in time, twice, without having been run up to there.
 */

/** A well mixed 32-bit hash of a seed and two coordinates (murmur3's finaliser over golden-ratio steps). */
export function hash(seed: number, a: number, b = 0): number {
  let h = (seed ^ Math.imul(a | 0, 0x9e3779b1)) | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = (h ^ Math.imul(b | 0, 0xc2b2ae35)) | 0;
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  return (h ^ (h >>> 15)) >>> 0;
}

/** A seed for a name, so that one instrument's numbers do not depend on which others exist. */
export function nameSeed(seed: number, name: string): number {
  let h = hash(seed, name.length);
  for (let i = 0; i < name.length; i++) h = Math.imul(h ^ name.charCodeAt(i), 0x01000193);
  return hash(h, seed);
}

/** In [0, 1). */
export function uniform(seed: number, a: number, b = 0): number {
  return hash(seed, a, b) / 0x1_0000_0000;
}

/** Standard normal to a good approximation (sum of four uniforms, scaled): its tails end at 3.46. */
export function gaussian(seed: number, a: number, b = 0): number {
  const h = hash(seed, a, b);
  const g = hash(h, 0x51ed270b);
  const sum = (h & 0xffff) + (h >>> 16) + (g & 0xffff) + (g >>> 16);
  return (sum / 65_536 - 2) * 1.7320508075688772;
}
