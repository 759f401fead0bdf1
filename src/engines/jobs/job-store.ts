/** What a platform that runs jobs asks of its storage. Throws ComportaError. */
export interface JobStore {
  /**
   * Puts a local file where the platform's machines read it, under a name made from its content:
   * the same content is there once, and a running job keeps the file it was started with.
   * @returns its URL: `gs://…`, `s3://…`.
   */
  upload(file: string): Promise<string>;
  /**
   * The end of a text that is written in numbered parts, `<url>.000000000` and on; undefined when
   * there is none yet.
   */
  tail(url: string): Promise<string | undefined>;
}
