/** What is sent in every benchmark of delivery: the event of a call that ended, about 300 bytes. */
export const EVENT_TYPE = 'call.ended';
/** Stands before the time in what is sent, so that the receiver finds it: one mark for each event. */
export const MARK = 'sent@';
/** A mark with the microseconds since 1970, 16 digits: the receiver takes the difference. */
export const sentNow = (): string => MARK + String(Math.round((performance.timeOrigin + performance.now()) * 1000));

export const eventData = (n: number): string =>
  `{"mark":"${sentNow()}","call_id":"call_${String(n).padStart(10, '0')}","agent":"agent_42","campaign":"Autumn renewals","direction":"outbound","disposition":"CALLBACK","duration_seconds":187,"recording":"https://recordings.example.com/2026/11/21/call.mp3","tags":["renewal","callback","priority"]}`;

/** A signing secret of the shape that `standard` endpoints have. */
export const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
/** Organizations, so that the caps of one do not bound the whole. */
export const ORGANIZATIONS = 8;

/** A dial as a dialler posts it, with the mark where webhooks carry it on. */
export const dial = (n: number): string =>
  `{"campaign_id":"cb-7","campaign_name":"Autumn renewals","agent_name":"${sentNow()}","ani":"+1 312-555-0142","prospect_phone":"(773) 555-${String(n % 10_000).padStart(4, '0')}","disposition_name":"CALLBACK","datetime":"2026-11-21 09:14:58","call_direction":"Outbound","zip":"60614","sys_created_date_original":"2026-04-20","total_dial_attempts":"2","skill_name":"Tier 1","lead_source":"web","dial_id":"d${n}"}`;
