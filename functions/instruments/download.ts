/** The whole dump is about 10 MB; the API's own limit is 29 s. */
const TIMEOUT_MS = 20_000;

export class DownloadError extends Error {}

/**
 * The broker's dump of all exchanges, CSV.
 * @throws DownloadError where the broker does not answer with one
 */
export async function downloadInstruments(brokerUrl: string): Promise<string> {
  const url = `${brokerUrl.replace(/\/$/, '')}/instruments`;
  try {
    const response = await fetch(url, {
      headers: { 'X-Kite-Version': '3' },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (!response.ok) throw new DownloadError(`${url} answered ${response.status}`);
    return await response.text();
  } catch (error) {
    if (error instanceof DownloadError) throw error;
    throw new DownloadError(`${url} could not be read`, { cause: error });
  }
}
