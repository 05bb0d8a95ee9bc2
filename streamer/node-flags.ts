/**
 * How Node runs a streamer, wherever one is started. A feed leaves some 20 MB of garbage a second outside of V8's
 * heap, which only a collection of the young generation frees: a small one is collected often. At 50,000 ticks/s
 * resident memory then stays at 177 MB; with the default it climbed past 300 (docs/decisions/0004-hot-path.md).
 */
export const STREAMER_NODE_FLAGS: readonly string[] = ['--max-semi-space-size=2'];
