import type { System } from "#gateway/context.ts";
import type { Database } from "#store/database.ts";
import { isPassword, passwordHashing } from "./password-hash.ts";
import { type LoginProfile, updateLoginProfile } from "./store/login-profiles.ts";

/**
 * The profile of whoever has given its password, which is hashed anew on this occasion where its hash is from a time of cheaper
 * ones; undefined for a wrong password.
 */
export async function signedIn(
  system: System,
  db: Database,
  profile: LoginProfile,
  password: string,
): Promise<LoginProfile | undefined> {
  const [current, ...earlier] = profile.passwordHashes;
  if (!(await isPassword(password, current!))) return undefined;
  const hashing = passwordHashing(system);
  if (!hashing.isOutdated(current!)) return profile;
  const passwordHashes = [await hashing.hash(password), ...earlier];
  // Where somebody sets another password just now, that one stays.
  return (await updateLoginProfile(db, profile, { passwordHashes })) ? { ...profile, passwordHashes } : profile;
}
