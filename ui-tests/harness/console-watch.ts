import type { BrowserContext, ConsoleMessage, Page, WebError } from '@playwright/test';

/** What a page of ours must not do: throw, or write errors to the console that name Cloister. */
export class ConsoleWatch {
  readonly #found: string[] = [];
  readonly #allowed: RegExp[] = [];

  constructor(context: BrowserContext) {
    context.on('console', message => this.#console(message));
    context.on('weberror', error => this.#thrown(error));
  }

  /** Errors that a scenario brings about itself, such as a request to an agent that was killed. */
  allow(...patterns: readonly RegExp[]): void {
    this.#allowed.push(...patterns);
  }

  /** What was found and not allowed, in order. */
  get errors(): readonly string[] {
    return this.#found.filter(text => !this.#allowed.some(pattern => pattern.test(text)));
  }

  #console(message: ConsoleMessage): void {
    if (message.type() !== 'error') return;
    const text = `${message.text()} (${message.location().url}) on ${addressOf(message.page())}`;
    if (/cloister/i.test(`${message.text()} ${message.location().url}`)) this.#found.push(text);
  }

  #thrown(webError: WebError): void {
    const error = webError.error();
    const text = `${error.message}\n${error.stack ?? ''}`;
    if (/cloister/i.test(text)) this.#found.push(text);
  }
}

const addressOf = (page: Page | null): string => page?.url() ?? 'no page';
