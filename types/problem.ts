declare const problem: unique symbol

/** A type that no value has, and whose name tells the mistake in the error of the compiler. */
export interface Problem<Text extends string> {
  readonly [problem]: Text
}

/** What an argument also has to be that names one thing: a union of names could be any of them. */
export type OneName<Name, Each = Name> = Each extends unknown
  ? [Name] extends [Each]
    ? unknown
    : Problem<'one name is needed, and this is a union of names'>
  : never
