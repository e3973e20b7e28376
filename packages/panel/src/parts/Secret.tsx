import { Alert, Button, Code, CopyButton, Group, Modal, Stack, Text } from '@mantine/core';

export function Copy({ value, label = 'Copy' }: { readonly value: string; readonly label?: string }) {
  return (
    <CopyButton value={value}>
      {({ copied, copy }) => (
        <Button size="xs" variant="light" onClick={copy}>
          {copied ? 'Copied' : label}
        </Button>
      )}
    </CopyButton>
  );
}

/** Something that is shown this once: a key, a signing secret, an invitation. */
export function ShownOnce(props: {
  readonly title: string;
  readonly what: string;
  readonly value: string | null;
  readonly onClose: () => void;
}) {
  return (
    <Modal opened={props.value !== null} onClose={props.onClose} title={props.title} size="lg" closeOnClickOutside={false}>
      <Stack>
        <Alert color="yellow">{props.what} is shown only now. Nobody can look it up later.</Alert>
        <Group wrap="nowrap" align="flex-start">
          <Code block style={{ flex: 1, overflowWrap: 'anywhere', whiteSpace: 'pre-wrap' }} data-testid="secret" tabIndex={0}>
            {props.value}
          </Code>
          <Copy value={props.value ?? ''} />
        </Group>
        <Group justify="flex-end">
          <Text size="sm" c="dimmed">
            Stored it somewhere safe?
          </Text>
          <Button onClick={props.onClose}>Done</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
