import type { DialEvent, RawDial, Translations } from './model.ts';

const INBOUND = 'inbound';
const INBOUND_PREFIX = 'IB_';
const PHONE_DIGITS = 10;

/**
 * From a dial as it was posted to the event that webhooks carry (contracts/outboundiq.md 2, "Cleaning"). Pure. Throws
 * a `RangeError` for a time that does not exist.
 */
export function cleanDial(raw: RawDial, companySlug: string, translations: Translations): DialEvent {
  const callDirection = raw.call_direction.trim().toLowerCase();
  const { ani, phone } = numbersOf(raw, callDirection);
  const campaign = translations.campaign(raw.campaign_id);
  const dispo = translations.dispo(raw.disposition_name);
  return {
    companySlug,
    callId: callId(raw.dial_id, callDirection),
    callDirection,
    timestamp: parseTime(raw.datetime).toISOString(),
    ani: tenDigits(ani),
    phone: tenDigits(phone),
    campaign: campaign?.name ?? text(raw.campaign_name),
    campaignInternalId: text(raw.campaign_id),
    agent: text(raw.agent_name),
    disposition: dispo?.name ?? text(raw.disposition_name),
    dispositionId: dispo?.id ?? null,
    contact: dispo?.contact ?? false,
    success: dispo?.success ?? false,
    isSystemDispo: dispo?.type === 'System',
    totalDialAttempts: attempts(raw.total_dial_attempts),
  };
}

/** `YYYY-MM-DD HH:MM:SS`, or ISO 8601 with or without a zone; without one it is UTC. */
const TIME = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2})?(?:\.\d{1,9})?)\s?(Z|[+-]\d{2}:?\d{2})?$/i;

/** The moment that a dial's `datetime` means. Throws a `RangeError` for one that does not exist or has another form. */
export function parseTime(datetime: string): Date {
  const [, day, clock, zone = 'Z'] = TIME.exec(datetime.trim()) ?? [];
  const time = new Date(`${day}T${clock}${zone.toUpperCase().replace(/^([+-]\d{2})(\d{2})$/, '$1:$2')}`);
  // 31 April is rolled over to 1 May by some engines: the day must be the one that was written.
  const isReal = !Number.isNaN(time.getTime()) && day !== undefined && new Date(`${day}T00:00:00Z`).toISOString().startsWith(day);
  if (!isReal) throw new RangeError('datetime is not a time: use YYYY-MM-DD HH:MM:SS in UTC, or ISO 8601');
  return time;
}

/** Which number is ours. In the newer pair, who calls comes first, so on inbound calls that is the prospect. */
function numbersOf(raw: RawDial, callDirection: string): { ani: string; phone: string } {
  if (raw.from_number === undefined || raw.to_number === undefined) return { ani: raw.ani ?? '', phone: raw.prospect_phone ?? '' };
  return callDirection === INBOUND ? { ani: raw.to_number, phone: raw.from_number } : { ani: raw.from_number, phone: raw.to_number };
}

function tenDigits(number: string): string | null {
  const digits = number.replaceAll(/\D/g, '');
  const national = digits.length === PHONE_DIGITS + 1 && digits.startsWith('1') ? digits.slice(1) : digits;
  return national.length === PHONE_DIGITS ? national : null;
}

function callId(dialId: string | undefined, callDirection: string): string | null {
  const id = text(dialId ?? '');
  if (id === null || callDirection !== INBOUND || id.startsWith(INBOUND_PREFIX)) return id;
  return INBOUND_PREFIX + id;
}

function attempts(value: string | number): number | null {
  const number = typeof value === 'number' ? value : /^\s*\d+\s*$/.test(value) ? Number(value) : Number.NaN;
  return Number.isSafeInteger(number) && number >= 0 ? number : null;
}

function text(value: string): string | null {
  const trimmed = value.trim();
  return trimmed === '' ? null : trimmed;
}
