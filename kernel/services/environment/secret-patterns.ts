import { isSecretName, isSecretParameter, mask } from '../../lib/secrets.ts'
import { isGuessable } from './masking.ts'

/** Credentials in a header, and parameters of a URL, that a text quotes. */
const credentials = /\b(Bearer|Basic)\s+[\w.~+/=-]{6,}/gi
const parameter = /([?&])([\w.[\]%-]{1,64})=[^&\s"']+/g
/** `"password": "word"`, `password = 'word'`, and the same in a text within JSON; a value has no spaces, as prose does. */
const quoted =
  /(?<![\w.-])([A-Za-z][\w.-]{1,63})((?:\\?["'])?[ \t]{0,4}[:=][ \t]{0,4}(\\?["']))([^\s"'\\]{6,1024})(?=\3)/g
/** `password=word`, and `api_key: word`. */
const plain = /(?<![\w.?&-])([A-Za-z][\w.-]{1,63})(=|: )([^\s"'`,;&<>()[\]{}\\]{6,1024})/g
/** What stands for a value, or says what is wrong with it. */
const noValue =
  /^(?:required|missing|invalid|incorrect|expired|unknown|undefined|redacted|filtered|process\.env\b.*|\$.*|\*+)$/i

/** Tokens that show what they are by their beginning: those of the rules of gitleaks that are most used. */
const tokens = new RegExp(
  `\\b(?:${[
    'gh[pousr]_[A-Za-z0-9]{36,255}',
    'github_pat_\\w{22,255}',
    'glpat-[\\w-]{20,255}',
    'npm_[A-Za-z0-9]{36}',
    '(?:AKIA|ASIA)[A-Z0-9]{16}',
    'AIza[\\w-]{35}',
    '(?:sk|rk)_(?:live|test)_\\w{16,255}',
    'sk-(?:ant|proj|svcacct)-[\\w-]{20,255}',
    'xox[abposr]-[\\w-]{10,255}',
    'eyJ[\\w-]{10,2048}\\.[\\w-]{10,4096}\\.[\\w-]{10,1024}',
  ].join('|')})`,
  'g',
)

/** Masks what has the form of a secret, also where its value is not known. */
export function maskByForm(text: string): string {
  return text
    .replace(tokens, mask)
    .replace(credentials, `$1 ${mask}`)
    .replace(parameter, (all, before: string, name: string) =>
      isSecretParameter(name) ? `${before}${name}=${mask}` : all,
    )
    .replace(quoted, (all, name: string, between: string, _: string, value: string) =>
      isSecretName(name) && isValue(value) ? `${name}${between}${mask}` : all,
    )
    .replace(plain, (all, name: string, between: string, value: string) =>
      isSecretName(name) && isValue(value) && (between === '=' || isCompound(name)) ? `${name}${between}${mask}` : all,
    )
}

function isValue(text: string): boolean {
  return !isGuessable(text) && !noValue.test(text)
}

/** Whether a name is none of a word of prose: "invalid token: expected a string". */
function isCompound(name: string): boolean {
  return /[-_]/.test(name)
}
