/** Options on the command line of `jobs/ingest_table.py`. */
export const JOB_ARGUMENTS = { request: '--request', attempt: '--attempt' } as const;

/** Arguments that Comporta gives to a run of a Glue job beside the command line. */
export const GLUE_ARGUMENTS = {
  /** Names the try that a run is, where every reader of runs sees it. */
  try: '--comporta-try',
  /** The script that is run in place of the Glue job's own. */
  script: '--scriptLocation',
  bookmarks: '--job-bookmark-option',
} as const;

/** All of them: a connection must not set them. */
export const OWN_ARGUMENTS: readonly string[] = [
  ...Object.values(JOB_ARGUMENTS),
  ...Object.values(GLUE_ARGUMENTS),
];
