/**
 * Values that are shown nowhere, though they are no Secret's: passwords in environment variables and settings. A guess by
 * name and form, in the direction of saying less. Pure.
 */
const NAME =
  /passw|passphrase|secret|token|credential|private[_.-]?key|api[_.-]?key|access[_.-]?key|encryption[_.-]?key|signing[_.-]?key|salt$|dsn$/i;
/** User and password in a URL; a private key; a JSON web token; what looks like a random key. */
const VALUE = /:\/\/[^/\s@]*:[^/\s@]*@|-----BEGIN|^ey[\w-]{8,}\.|^(?=.*\d)(?=.*[a-z])(?=.*[A-Z])[\w+/=-]{20,}$/;

export function looksSecret(name: string, value: unknown): boolean {
  return NAME.test(name) || (typeof value === 'string' && value.length <= 4096 && VALUE.test(value));
}
