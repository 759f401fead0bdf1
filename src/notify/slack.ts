import { ComportaError } from '../errors';
import type { SlackConnection } from '../pipeline/pipeline';
import type { SecretStore } from '../pipeline/secrets';
import type { Delivery, Notice, Notifier } from './notice';
import { wordsOf, type Section } from './words';

/** https://docs.slack.dev/reference/block-kit/blocks, read 2026: beyond these a message is refused. */
const LONGEST_HEADER = 150;
const LONGEST_SECTION = 3_000;
const MOST_BLOCKS = 50;

const TIMEOUT_MS = 15_000;

/** Sends to a channel of Slack by an incoming webhook. */
export function createSlackNotifier(
  { name, webhook }: SlackConnection,
  secrets: SecretStore,
  send: typeof fetch = fetch,
): Notifier {
  const address = async () => webhookUrl(name, await secrets.read(webhook));
  return {
    async send(notice) {
      const url = await address();
      let response: Response;
      try {
        response = await send(url, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(slackMessage(notice)),
          redirect: 'error',
          signal: AbortSignal.timeout(TIMEOUT_MS),
        });
      } catch (error) {
        return fateOf(name, error);
      }
      // Read to its end, so that the connection can be used again. Slack answers errors by a word.
      const answer = (await response.text().catch(() => '')).slice(0, 100);
      if (response.ok) return 'sent';
      throw refused(name, response.status, answer);
    },
    // Slack has nothing to ask of a webhook without posting to it.
    check: async () => void (await address()),
  };
}

/** The address must not appear in any message: whoever has it can write to the channel. */
function webhookUrl(name: string, text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && (url.protocol === 'https:' || url.hostname === '127.0.0.1')) return url;
  throw new ComportaError('ConfigurationInvalid', `the webhook of ${name} is no https address`, {
    remedy: 'copy it from Slack: Apps, Incoming Webhooks',
  });
}

/** Nothing was sent without a connection; after that nobody knows. */
function fateOf(name: string, error: unknown): Delivery {
  const { code } = ((error as Error).cause ?? {}) as { code?: string };
  if (code !== undefined && NEVER_CONNECTED.has(code)) {
    throw new ComportaError('NotificationFailed', `Slack (${name}) cannot be reached: ${code}`, {
      remedy: 'check the name resolution and the firewall of the worker',
    });
  }
  return 'unknown';
}

const NEVER_CONNECTED: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

function refused(name: string, status: number, answer: string): ComportaError {
  const isTemporary = status === 429 || status >= 500;
  return new ComportaError(
    isTemporary ? 'NotificationFailed' : 'ConfigurationInvalid',
    `Slack (${name}) answered ${status} ${answer}`,
    { remedy: 'check that the webhook still exists and its channel is not archived' },
  );
}

type Block = Readonly<Record<string, unknown>>;

/** The message in Slack's blocks, within its documented limits. */
export function slackMessage(notice: Notice): { text: string; blocks: Block[] } {
  const { headline, sections, footer } = wordsOf(notice);
  const link = notice.link === undefined ? '' : ` · <${notice.link}|open in the Web UI>`;
  const blocks: Block[] = [
    { type: 'header', text: { type: 'plain_text', text: cut(headline, LONGEST_HEADER) } },
    ...sections.slice(0, MOST_BLOCKS - 3).map(sectionBlock),
    ...(sections.length > MOST_BLOCKS - 3
      ? [markdown(`and ${sections.length - (MOST_BLOCKS - 3)} more kinds of failures`)]
      : []),
    { type: 'context', elements: [{ type: 'mrkdwn', text: `${escaped(footer)}${link}` }] },
  ];
  // What a phone shows in its notification.
  return { text: escaped(headline), blocks };
}

function sectionBlock({ title, items }: Section): Block {
  const lines = [`*${escaped(title)}*`, ...items.map((item) => `• ${escaped(item)}`)];
  let text = '';
  for (const [index, line] of lines.entries()) {
    const next = index === 0 ? line : `${text}\n${line}`;
    // Room for the line that counts the rest.
    if (next.length > LONGEST_SECTION - 20) {
      text = index === 0 ? cut(line, LONGEST_SECTION) : `${text}\nand ${lines.length - index} more`;
      break;
    }
    text = next;
  }
  return markdown(text);
}

function markdown(text: string): Block {
  return { type: 'section', text: { type: 'mrkdwn', text } };
}

/** The three characters that Slack's markup gives a meaning (docs.slack.dev, "Formatting message text"). */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}
