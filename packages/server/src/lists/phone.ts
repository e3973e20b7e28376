import { Metadata, parsePhoneNumberFromString } from 'libphonenumber-js/core';
import metadata from 'libphonenumber-js/metadata.max.json';
import areaCodes from './area-codes.json' with { type: 'json' };
import { LIST_LIMITS } from './limits.ts';

/** Not a number that can be dialled. */
export const INVALID = 0;
/** A real number of another country, of the Caribbean included: only the US and Canada are served. */
export const FOREIGN = -1;

/** What the first six digits of a national number tell (area code and exchange). */
export interface PrefixFacts {
  readonly country: 'US' | 'CA';
  readonly lineType:
    | 'fixed_line_or_mobile'
    | 'toll_free'
    | 'premium_rate'
    | 'personal_number'
    | 'voip'
    | 'uan'
    | 'pager'
    | 'voicemail'
    | 'shared_cost'
    | 'unknown';
  /** State or province, such as `IL`; empty where the area code has no place. */
  readonly region: string;
  /** IANA names joined by `|`; empty where the area code has no place. */
  readonly timeZone: string;
}

/** Area code of the numbers in the vendor's guides (`+1555…`); they count as valid, whatever follows. */
const SAMPLE_AREA = 555;
const COUNTRY_CODE = 10_000_000_000;

/**
 * Reads a phone number in any usual form. Gives the digits of its E.164 form as a number (`+13125550142` is
 * 13125550142), or `INVALID` or `FOREIGN`. Common spellings take the short way; everything else is for libphonenumber.
 */
export function normalizePhone(text: string): number {
  if (text.length > LIST_LIMITS.phoneLength) return INVALID;
  let national = 0;
  let digits = 0;
  let international = false;
  const end = text.endsWith('.0') ? text.length - 2 : text.length; // a spreadsheet's idea of a phone number
  for (let i = 0; i < end; i++) {
    const code = text.charCodeAt(i);
    if (code >= 48 && code <= 57) {
      national = national * 10 + (code - 48);
      digits += 1;
    } else if (code === 43 /* + */ && digits === 0 && !international) international = true;
    else if (!isSeparator(code)) return normalizeUnusual(text);
  }
  if (digits === 11 && national >= COUNTRY_CODE && national < 2 * COUNTRY_CODE) return judge(national - COUNTRY_CODE);
  if (digits === 10 && !international) return judge(national);
  if (digits === 0) return INVALID;
  return normalizeUnusual(text);
}

/**
 * A number of any country in E.164 form; null when it is not one. Without a leading `+` the country's calling code must
 * be given, such as `+44` or `44`: ten digits alone could be anywhere.
 */
export function toE164(text: string, callingCode?: string): string | null {
  if (text.length > LIST_LIMITS.phoneLength) return null;
  const defaultCallingCode = callingCode?.replace(/^\+/, '').trim();
  if (defaultCallingCode && !/^[1-9]\d{0,2}$/.test(defaultCallingCode)) return null;
  const phone = parsePhoneNumberFromString(text, { ...(defaultCallingCode && { defaultCallingCode }), extract: false }, metadata as never);
  return phone !== undefined && phone.isPossible() && phone.ext === undefined ? phone.number : null;
}

/** Facts about a number that `normalizePhone` gave. */
export function prefixFacts(e164: number): PrefixFacts {
  return FACTS[prefixCode(Math.floor((e164 - COUNTRY_CODE) / 10_000))] as PrefixFacts;
}

/** The last four digits as text; two small integers become text several times faster than one of eleven digits. */
const LINE_DIGITS = Array.from({ length: 10_000 }, (_, line) => String(line).padStart(4, '0'));

/** `+13125550142`. */
export function formatE164(e164: number): string {
  return `+${Math.floor(e164 / 10_000)}${LINE_DIGITS[e164 % 10_000]}`;
}

/** Area code and exchange of a number that `normalizePhone` gave: 312555. */
export function prefixOf(e164: number): number {
  return Math.floor((e164 - COUNTRY_CODE) / 10_000);
}

function isSeparator(code: number): boolean {
  // space, tab, no-break space, ( ) - . /
  return code === 32 || code === 9 || code === 160 || code === 40 || code === 41 || code === 45 || code === 46 || code === 47;
}

function normalizeUnusual(text: string): number {
  const phone = parsePhoneNumberFromString(text, { defaultCountry: 'US', extract: false }, metadata as never);
  if (phone === undefined) return INVALID;
  if (phone.countryCallingCode !== '1') return phone.isValid() ? FOREIGN : INVALID;
  return phone.nationalNumber.length === 10 ? judge(Number(phone.nationalNumber)) : INVALID;
}

function judge(national: number): number {
  const code = prefixCode(Math.floor(national / 10_000));
  if (code === PREFIX_INVALID) return INVALID;
  return code === PREFIX_FOREIGN ? FOREIGN : COUNTRY_CODE + national;
}

const PREFIX_UNSEEN = 0;
const PREFIX_INVALID = 1;
const PREFIX_FOREIGN = 2;

/** Every distinct set of facts; the first three places stand for the codes above. */
const FACTS: (PrefixFacts | null)[] = [null, null, null];
const factIndex = new Map<string, number>();
/** One code for each of the million prefixes, worked out when it is first met. */
const seen = new Uint16Array(1_000_000);

function prefixCode(prefix: number): number {
  const known = seen[prefix]!;
  if (known !== PREFIX_UNSEEN) return known;
  const code = judgePrefix(prefix);
  seen[prefix] = code;
  return code;
}

type NumberType =
  'FIXED_LINE' | 'MOBILE' | 'TOLL_FREE' | 'PREMIUM_RATE' | 'PERSONAL_NUMBER' | 'VOIP' | 'UAN' | 'PAGER' | 'VOICEMAIL' | 'SHARED_COST';

/** The plan's types as libphonenumber names them, and what a list's result calls them. */
const LINE_TYPES: readonly [NumberType, PrefixFacts['lineType']][] = [
  ['FIXED_LINE', 'fixed_line_or_mobile'], // in the US and Canada nothing in a number tells the two apart
  ['MOBILE', 'fixed_line_or_mobile'],
  ['TOLL_FREE', 'toll_free'],
  ['PREMIUM_RATE', 'premium_rate'],
  ['PERSONAL_NUMBER', 'personal_number'],
  ['VOIP', 'voip'],
  ['UAN', 'uan'],
  ['PAGER', 'pager'],
  ['VOICEMAIL', 'voicemail'],
  ['SHARED_COST', 'shared_cost'],
];

const OTHER_COUNTRIES = 'AG AI AS BB BM BS DM DO GD GU JM KN KY LC MP MS PR SX TC TT VC VG VI'.split(' ');
const PLANS = new Map(['US', 'CA', ...OTHER_COUNTRIES].map((country) => [country, patternsOf(country)]));

/** In this plan six digits decide everything: validity, country and type (a property test compares with libphonenumber). */
function judgePrefix(prefix: number): number {
  if (Math.floor(prefix / 1000) === SAMPLE_AREA) return intern('US', 'unknown', SAMPLE_AREA);
  // The last four digits decide nothing; these ones are ordinary.
  const sample = `${String(prefix).padStart(6, '0')}0123`;
  for (const country of ['US', 'CA'] as const) {
    for (const [type, pattern] of PLANS.get(country)!) {
      if (pattern.test(sample)) return intern(country, type, Math.floor(prefix / 1000));
    }
  }
  const foreign = OTHER_COUNTRIES.some((country) => PLANS.get(country)!.some(([, pattern]) => pattern.test(sample)));
  return foreign ? PREFIX_FOREIGN : PREFIX_INVALID;
}

function intern(country: PrefixFacts['country'], lineType: PrefixFacts['lineType'], area: number): number {
  const place = (areaCodes as Record<string, { region: string; zones: string[] } | undefined>)[area];
  const facts: PrefixFacts = { country, lineType, region: place?.region ?? '', timeZone: place?.zones.join('|') ?? '' };
  const key = JSON.stringify(facts);
  let index = factIndex.get(key);
  if (index === undefined) {
    index = FACTS.push(facts) - 1;
    factIndex.set(key, index);
  }
  return index;
}

/** The part of libphonenumber-js's `Metadata` that its typings leave out. */
interface PlanMetadata {
  selectNumberingPlan(country: string): void;
  readonly numberingPlan: { type(name: NumberType): { pattern(): string } | undefined };
}

function patternsOf(country: string): [PrefixFacts['lineType'], RegExp][] {
  const plan = new Metadata(metadata as never) as unknown as PlanMetadata;
  plan.selectNumberingPlan(country);
  const patterns: [PrefixFacts['lineType'], RegExp][] = [];
  for (const [type, name] of LINE_TYPES) {
    const pattern = plan.numberingPlan.type(type)?.pattern();
    if (pattern) patterns.push([name, new RegExp(`^(?:${pattern})$`)]);
  }
  return patterns;
}
