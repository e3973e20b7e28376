/** Which state may follow which, for every state of a machine; an empty list is a final state. */
export type StateTable<State extends string> = Readonly<Record<State, readonly State[]>>;

/** The states that `to` may follow: what a statement that makes the change must find. */
export function before<State extends string>(table: StateTable<State>, to: State): State[] {
  return (Object.keys(table) as State[]).filter((from) => table[from].includes(to));
}

export function isFinal<State extends string>(table: StateTable<State>, state: State): boolean {
  return table[state].length === 0;
}
