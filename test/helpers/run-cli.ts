import { runCli } from '../../lib/cli/cli.ts'

/** What a test gives to the command line. */
interface Surroundings {
  readonly env?: Record<string, string>
  readonly input?: string
  /** What the person at the terminal answers. Without it there is no terminal. */
  readonly answer?: string
  /** Milliseconds since 1970. */
  readonly now?: number
}

/** The exit code and what was printed. */
interface CliResult {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs a command line. */
export async function run(args: string[], surroundings: Surroundings = {}): Promise<CliResult> {
  const { env = {}, input = '', answer, now = Date.now() } = surroundings
  const [out, err]: [string[], string[]] = [[], []]
  const ask = (reply: string) => async (question: string) => {
    out.push(question)
    return reply
  }
  const code = await runCli(args, {
    env,
    log: (text) => out.push(text),
    error: (text) => err.push(text),
    clock: () => now,
    readInput: async () => input,
    ask: answer === undefined ? undefined : ask(answer)
  })
  return { code, out: out.join('\n'), err: err.join('\n') }
}
