interface Gate {
  readonly arrived: Promise<void>
  readonly arrive: () => void
  readonly opened: Promise<void>
  readonly open: () => void
}

/** Gates at which requests wait in their handlers until the test opens them. */
export class Gates {
  readonly #gates: Map<string, Gate> = new Map()

  /** Adds a gate and returns its name. */
  add(): string {
    const name = String(this.#gates.size)
    const [arrived, arrive] = latch()
    const [opened, open] = latch()
    this.#gates.set(name, { arrived, arrive, opened, open })
    return name
  }

  /** For a request: reports its arrival, and waits until the gate is open. */
  wait(name: string): Promise<void> {
    const gate = this.#get(name)
    gate.arrive()
    return gate.opened
  }

  /** For a test: waits until a request has arrived at the gate. */
  arrived(name: string): Promise<void> {
    return this.#get(name).arrived
  }

  /** For a test: lets the request continue. */
  open(name: string): void {
    this.#get(name).open()
  }

  #get(name: string): Gate {
    // Only names that `add` returned are used.
    return this.#gates.get(name) as Gate
  }
}

function latch(): [promise: Promise<void>, open: () => void] {
  let open!: () => void
  const promise = new Promise<void>((resolve) => {
    open = resolve
  })
  return [promise, open]
}
