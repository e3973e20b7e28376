import { dialnexa, optimaldial, outboundiq, standard, verify, WebhookError, type SignatureScheme } from '@dialhook/webhooks';
import { Alert, Button, PasswordInput, Select, Stack, Switch, Textarea } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { Page } from '../parts/Page.tsx';
import { rawOf, textOf } from '../parts/form.ts';

const SCHEMES: readonly (readonly [string, SignatureScheme])[] = [
  ['OptimalDial', optimaldial],
  ['outboundIQ', outboundiq],
  ['DialNexa', dialnexa],
  ['Standard Webhooks', standard],
];

/** What to look at, for each reason that a signature is refused. */
const HINTS: Record<WebhookError['code'], string> = {
  missing_header: 'Did a proxy drop it, or is another contract meant?',
  malformed_header: 'Paste the header as it came, without quotes.',
  timestamp_too_old:
    'Expected for an old delivery: switch the check of the time off. In a receiver it means a replay, or a clock that runs ahead.',
  timestamp_too_new: 'The receiver’s clock is behind.',
  signature_mismatch:
    'Most often the body was parsed and written anew before it was checked. It may also be another endpoint’s secret, or one that was rotated.',
  malformed_secret: 'Paste the whole secret, with its prefix.',
  invalid_json: 'The signature is right.',
};

/** Paste headers and body: does the signature verify, and why not? Nothing leaves the browser. */
export function VerifyPage() {
  const [name, setName] = useState('OptimalDial');
  const [checksTime, setChecksTime] = useState(false);
  const [result, setResult] = useState<WebhookError | 'verified' | null>(null);
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const scheme = SCHEMES.find(([title]) => title === name)![1];
    const headers = Object.fromEntries(
      rawOf(form, 'headers')
        .split('\n')
        .filter((line) => line.includes(':'))
        .map((line) => [line.slice(0, line.indexOf(':')).trim().toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
    );
    // A form writes line ends as CR LF; a body that is signed here has none, or LF.
    const body = rawOf(form, 'body').replaceAll('\r\n', '\n');
    try {
      await verify(scheme, {
        secret: textOf(form, 'secret'),
        body,
        headers,
        ...(!checksTime && { toleranceSeconds: Number.MAX_SAFE_INTEGER }),
      });
      setResult('verified');
    } catch (error) {
      setResult(error as WebhookError);
    }
  };
  return (
    <Page title="Check a signature" subtitle="Paste what your receiver got. The check runs in this browser; the secret does not leave it.">
      <form onSubmit={(event) => void submit(event)}>
        <Stack maw={820}>
          <Select
            label="Contract"
            data={SCHEMES.map(([title]) => title)}
            value={name}
            onChange={(value) => setName(value ?? 'OptimalDial')}
            allowDeselect={false}
          />
          <PasswordInput label="Secret" name="secret" required autoComplete="off" />
          <Textarea
            label="Headers"
            name="headers"
            required
            autosize
            minRows={4}
            classNames={{ input: 'panel-mono' }}
            placeholder={'X-OptimalDial-Signature: t=…,v1=…'}
          />
          <Textarea label="Body, as it came" name="body" required autosize minRows={5} maxRows={16} classNames={{ input: 'panel-mono' }} />
          <Switch label="Check the signed time too" checked={checksTime} onChange={(event) => setChecksTime(event.currentTarget.checked)} />
          <Button type="submit" w="fit-content">
            Check
          </Button>
          {result === 'verified' && (
            <Alert color="teal" title="The signature verifies" role="status">
              These are the bytes that were sent, and the secret is the right one.
            </Alert>
          )}
          {result !== null && result !== 'verified' && (
            <Alert color="red" title={result.message} role="status">
              {HINTS[result.code]}
            </Alert>
          )}
        </Stack>
      </form>
    </Page>
  );
}
