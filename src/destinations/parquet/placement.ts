import type { ClosedFile, StagedFile } from './storage';

/** What one publication puts in place, so that it can be taken back. */
export class Placement {
  /** Where files of this attempt lie in the lake, or may lie. */
  readonly paths: string[] = [];
  private readonly staged: Pick<StagedFile, 'discard'>[] = [];

  /** Notes a staged file that the publication itself made. */
  track(file: Pick<StagedFile, 'discard'>): void {
    this.staged.push(file);
  }

  async commit(file: ClosedFile): Promise<void> {
    // Noted first: a commit that fails may still have taken effect.
    this.paths.push(file.path);
    await file.commit();
  }

  /** Removes what was staged and not committed. */
  async discard(): Promise<void> {
    for (const file of this.staged) await file.discard();
  }
}
