/**
 * Calls `stop` once: on Ctrl-C, on a termination signal, or when the process that started this one is gone
 * (local/run.cjs keeps a channel open for that).
 */
export function onStopSignal(stop: (reason: string) => void): void {
  let stopped = false;
  const once = (reason: string) => {
    if (stopped) return;
    stopped = true;
    stop(reason);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => once(signal));
  if (process.channel) {
    process.on('disconnect', () => once('parent gone'));
    process.channel.unref();
  }
}
