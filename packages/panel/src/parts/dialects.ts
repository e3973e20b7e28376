/** What each dialect lets its endpoints choose; the server checks the same. */
export const DIALECTS: Record<
  string,
  { readonly name: string; readonly events: readonly string[] | null; readonly secret: 'made' | 'chosen'; readonly headers: boolean }
> = {
  optimaldial: { name: 'OptimalDial', events: ['upload.created', 'upload.completed', 'upload.failed'], secret: 'made', headers: false },
  dialnexa: {
    name: 'DialNexa',
    events: ['call.completed', 'call.failed', 'call.no_answer', 'campaign.completed', 'campaign.paused', 'workflow.lead.completed'],
    secret: 'chosen',
    headers: false,
  },
  standard: { name: 'Standard Webhooks', events: null, secret: 'made', headers: true },
  outboundiq: { name: 'outboundIQ', events: [], secret: 'made', headers: true },
};
