import type { ApiClient } from './api-client.ts';

export interface TakenCall {
  readonly id: string;
  readonly organization: string;
  readonly attempt: number;
  readonly agent_id: string;
  readonly to_phone_number: string;
  readonly from_phone_number: string | null;
  readonly metadata: Record<string, unknown>;
  readonly campaign_id: string | null;
}

export interface Report {
  readonly call_id: string;
  readonly status: string;
  readonly [detail: string]: unknown;
}

/** An operator's dialler, as the operator API sees it. */
export class Dialler {
  readonly #operator: ApiClient;

  constructor(operator: ApiClient) {
    this.#operator = operator;
  }

  async take(limit = 100, leaseSeconds = 60): Promise<TakenCall[]> {
    const body = { limit, lease_seconds: leaseSeconds };
    return (await this.#operator.send<{ data: TakenCall[] }>('POST', '/operator/v1/calls/take', body)).body.data;
  }

  /** Gives the result of each report. */
  async report(...reports: Report[]): Promise<string[]> {
    const { body } = await this.#operator.send<{ data: { result: string }[] }>('POST', '/operator/v1/calls/reports', { reports });
    return body.data.map(({ result }) => result);
  }
}
