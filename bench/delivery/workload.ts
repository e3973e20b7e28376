/** What is sent in every benchmark of delivery: the event of a call that ended, about 300 bytes. */
export const EVENT_TYPE = 'call.ended';
/** Microseconds since 1970, 16 digits: the receiver finds it behind `"sent":` and takes the difference. */
export const sentNow = (): string => String(Math.round((performance.timeOrigin + performance.now()) * 1000));

export const eventData = (n: number): string =>
  `{"sent":${sentNow()},"call_id":"call_${String(n).padStart(10, '0')}","agent":"agent_42","campaign":"Autumn renewals","direction":"outbound","disposition":"CALLBACK","duration_seconds":187,"recording":"https://recordings.example.com/2026/11/21/call.mp3","tags":["renewal","callback","priority"]}`;

/** A signing secret of the shape that `standard` endpoints have. */
export const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
/** Organizations, so that the caps of one do not bound the whole. */
export const ORGANIZATIONS = 8;
