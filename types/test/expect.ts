/** Whether two types are the same type, not only assignable to each other; `any` is the same as nothing else. */
export type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** `same<A, B>(true)` compiles where `A` is exactly `B`. */
export declare function same<A, B>(verdict: Equal<A, B>): void

/** `typed<T>(value)` compiles where the value is a `T`. */
export declare function typed<T>(value: T): void
