import type { Locator, Page } from 'playwright-core';
import { scheduleLink, workflowLink } from '../../src/temporal/web-ui';
import { eventually } from '../support/eventually';

/** Temporal's Web UI under an operator's hands: what is there to press, by the words on it. */
export interface WebUiPage {
  readonly dialog: Locator;
  /** A word in the page, such as a status. */
  word(word: string | RegExp): Locator;
  openList(): Promise<void>;
  openWorkflow(workflowId: string): Promise<void>;
  openPendingActivities(workflowId: string): Promise<void>;
  openSchedule(scheduleId: string): Promise<void>;
  /** Enters a query by hand, behind the `</>` of the filter line. */
  search(query: string): Promise<void>;
  /** Workflow ids in the list, sorted. */
  listed(): Promise<readonly string[]>;
  /** Puts the column beside the workflow's id, in place of others. */
  showColumn(name: string): Promise<void>;
  select(workflowId: string): Promise<void>;
  selectAll(): Promise<void>;
  /** The newest run on the page of a schedule, once there is one. */
  newestRun(): Promise<string>;
  /** Presses a button of the page. */
  press(name: string): Promise<void>;
  openMenu(menu: Menu): Promise<void>;
  pickAction(action: string): Promise<void>;
  choose(menu: Menu, action: string): Promise<void>;
  /** Presses a button of the dialog and waits for the dialog to close. */
  confirm(name: string): Promise<void>;
  /** Fills in the dialog of an update; `confirm('Submit')` sends it. */
  prepareUpdate(name: string, input: object): Promise<void>;
  /** Fills in hours of a day that is past. */
  fillBackfill(day: Date, hours: { readonly from: string; readonly to: string }): Promise<void>;
  /** Fills in the page that starts a workflow. */
  fillStart(workflowId: string, input: object): Promise<void>;
}

type Menu = 'More Actions' | 'Schedule Actions';

/** The text of a CodeMirror editor; it has no label. */
const EDITOR = '.cm-content';

export function webUiPage(page: Page, address: string, namespace: string): WebUiPage {
  const dialog = page.locator('dialog[open]');
  const main = page.getByRole('main');
  const row = (workflowId: string) => main.getByRole('row').filter({ hasText: workflowId });

  const openWorkflow = async (workflowId: string) => {
    await page.goto(workflowLink(address, namespace, workflowId));
    await main.getByRole('heading', { name: workflowId }).waitFor();
  };
  const openMenu = (menu: Menu) => main.getByRole('button', { name: menu }).click();
  const pickAction = (action: string) =>
    page.getByRole('menuitem', { name: action, exact: true }).click();
  const choose = async (menu: Menu, action: string) => {
    await openMenu(menu);
    await pickAction(action);
  };
  /** Replaces the text of an editor and leaves it: then it is laid out anew, and what is below moves. */
  const fillEditor = async (editor: Locator, value: object) => {
    await editor.click();
    await page.keyboard.press('ControlOrMeta+A');
    await page.keyboard.insertText(JSON.stringify(value));
    await editor.blur();
    await editor.getByText(/^}$/).waitFor();
  };

  return {
    dialog,
    word: (word) => main.getByText(word, { exact: true }).first(),
    async openList() {
      await page.goto(`${address}/namespaces/${namespace}/workflows`);
      await main.getByRole('table', { name: 'Workflows' }).waitFor();
    },
    openWorkflow,
    async openPendingActivities(workflowId) {
      await openWorkflow(workflowId);
      await main.getByRole('tab', { name: /^Pending Activities/ }).click();
    },
    async openSchedule(scheduleId) {
      await page.goto(scheduleLink(address, namespace, scheduleId));
      await main.getByRole('heading', { name: scheduleId }).waitFor();
    },
    async search(query) {
      await page.getByTestId('toggle-manual-query').click();
      await main.getByRole('searchbox').fill(query);
      await main.getByRole('button', { name: 'Search' }).click();
      await main.getByRole('button', { name: 'Clear all' }).waitFor();
      await page.getByTestId('toggle-manual-query').click();
    },
    async listed() {
      const ids = main.locator('tbody').getByRole('link', { name: /\// });
      return (await ids.allInnerTexts()).sort();
    },
    async showColumn(name) {
      await page.getByTestId('workflows-summary-table-configuration-button').click();
      const panel = page.getByRole('region').filter({ hasText: 'Configure Workflows Table' });
      for (const column of ['Run ID', 'Type', 'Start', 'End'])
        await panel.getByRole('button', { name: `Remove ${column} column` }).click();
      await panel.getByRole('button', { name: `Add ${name} column` }).click();
      await panel.getByRole('button', { name: /^Close/ }).click();
    },
    select: (workflowId) => tick(row(workflowId).getByRole('checkbox')),
    selectAll: () => tick(main.getByRole('checkbox', { name: 'Select all Workflows' })),
    newestRun: () =>
      main
        .getByRole('link', { name: /^controller\// })
        .first()
        .innerText(),
    press: (name) => main.getByRole('button', { name, exact: true }).click(),
    openMenu,
    pickAction,
    choose,
    async confirm(name) {
      await dialog.getByRole('button', { name, exact: true }).click();
      await dialog.waitFor({ state: 'hidden' });
    },
    async prepareUpdate(name, input) {
      await choose('More Actions', 'Send an Update');
      await dialog.getByRole('button', { name: 'Select an Update' }).click();
      await dialog.getByRole('option', { name: new RegExp(`^${name}`) }).click();
      await fillEditor(dialog.locator(EDITOR), input);
    },
    async fillBackfill(day, { from, to }) {
      const month = day.toLocaleString('en-US', {
        month: 'long',
        year: 'numeric',
        timeZone: 'UTC',
      });
      for (const index of [0, 1]) {
        await dialog.getByTestId('datepicker').nth(index).click();
        while (!(await dialog.getByText(month).isVisible()))
          await dialog.getByRole('button', { name: 'Previous Month' }).click();
        await dialog.getByRole('button', { name: `${day.getUTCDate()}`, exact: true }).click();
      }
      await dialog.getByTestId('hour').first().fill(from);
      await dialog.getByTestId('hour').last().fill(to);
    },
    async fillStart(workflowId, input) {
      await main.getByRole('textbox', { name: 'Workflow ID' }).fill(workflowId);
      await fillEditor(main.locator(EDITOR).first(), input);
    },
  };
}

/**
 * Ticks a box. The one that people see lies over the checkbox itself; and a list that is brought up
 * to date between click and look may have taken the tick back.
 */
function tick(box: Locator): Promise<void> {
  return eventually(() => box.check({ force: true, timeout: 1_000 }));
}
