import { notifications } from '@mantine/notifications';

export const notify = (message: string) => notifications.show({ message, color: 'teal' });
export const notifyError = (error: Error) =>
  notifications.show({ title: 'That did not work', message: error.message, color: 'red', autoClose: 10_000 });
