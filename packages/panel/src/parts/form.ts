/** A field of a form as text, without spaces around it; empty when there is no such field. */
export function textOf(form: FormData, name: string): string {
  return rawOf(form, name).trim();
}

/** The same with every character as it was typed. */
export function rawOf(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === 'string' ? value : '';
}
