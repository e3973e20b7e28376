/** What makes a spreadsheet take a cell for a formula, in the forms of other keyboards too; blanks before it do not help. */
const RUNS = /^\s*[=+\-@＝＋－＠]|^[\t\r\n]/;
/** What looks like one and is a number, such as `+1 (312) 555-0142` and `-3.5`: a sign, digits, spaces, dots, brackets, hyphens. */
const NUMBER = /^\s*[+-]?[\d\s.()-]*$/;

/**
 * A cell of a customer's list as a spreadsheet shows it and does not run it: an apostrophe goes before what it would run. Whoever fills in
 * a form that ends in a list must not be able to have a command run on the machine of whoever opens the result.
 */
export function asText(cell: string): string {
  return RUNS.test(cell) && !NUMBER.test(cell) ? `'${cell}` : cell;
}
