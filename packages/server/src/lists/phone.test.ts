import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { parsePhoneNumberFromString } from 'libphonenumber-js/max';
import { FOREIGN, formatE164, INVALID, normalizePhone, prefixFacts } from './phone.ts';

const SPELLINGS: [string, number][] = [
  ['+13125550142', 13125550142],
  ['(312) 555-0142', 13125550142],
  ['312.555.0142', 13125550142],
  ['1-312-555-0142', 13125550142],
  [' 3125550142 ', 13125550142],
  ['3125550142.0', 13125550142],
  ['312/555/0142', 13125550142],
  ['+1 (312) 555 0142 ext. 5', 13125550142],
  ['011 1 312 555 0142', 13125550142],
  ['4165550142', 14165550142],
  ['+15550000000', 15550000000],
  ['+15559999999', 15559999999],
  ['(555) 123-4567', 15551234567],
  ['18005550142', 18005550142],
  ['', INVALID],
  ['-', INVALID],
  ['phone', INVALID],
  ['312555014', INVALID],
  ['31255501423', INVALID],
  ['1125550142', INVALID],
  ['3121550142', INVALID],
  ['+3125550142', INVALID],
  ['+1312555014２', 13125550142],
  ['9'.repeat(100), INVALID],
  ['+442079460001', FOREIGN],
  ['+18762530000', FOREIGN],
  ['(787) 253-0000', FOREIGN],
  ['876-253-0000', FOREIGN],
];

for (const [text, expected] of SPELLINGS) {
  test(`${JSON.stringify(text.slice(0, 30))} is ${expected}`, () => assert.equal(normalizePhone(text), expected));
}

test('agrees with libphonenumber on any ten digits', () => {
  const national = fc.tuple(fc.integer({ min: 200, max: 999 }), fc.integer({ min: 0, max: 999 }), fc.integer({ min: 0, max: 9999 }));
  fc.assert(
    fc.property(national, ([area, exchange, line]) => {
      fc.pre(area !== 555);
      const digits = `${area}${String(exchange).padStart(3, '0')}${String(line).padStart(4, '0')}`;
      const phone = parsePhoneNumberFromString(`+1${digits}`);
      const ours = normalizePhone(digits);
      const valid = phone?.isValid() ?? false;
      const served = phone?.country === 'US' || phone?.country === 'CA';
      assert.equal(ours > 0, valid && served, digits);
      assert.equal(ours === FOREIGN, valid && !served, digits);
      if (ours > 0) {
        assert.equal(formatE164(ours), phone!.number);
        assert.equal(prefixFacts(ours).lineType, phone!.getType()!.toLowerCase());
        assert.equal(prefixFacts(ours).country, phone!.country);
      }
    }),
    { numRuns: 20_000 },
  );
});

test('an area code tells region and time zone; a toll-free one has neither', () => {
  assert.deepEqual(prefixFacts(13125550142), {
    country: 'US',
    lineType: 'fixed_line_or_mobile',
    region: 'IL',
    timeZone: 'America/Chicago',
  });
  assert.deepEqual(prefixFacts(14165550142), {
    country: 'CA',
    lineType: 'fixed_line_or_mobile',
    region: 'ON',
    timeZone: 'America/Toronto',
  });
  assert.deepEqual(prefixFacts(18005550142), { country: 'US', lineType: 'toll_free', region: '', timeZone: '' });
});
