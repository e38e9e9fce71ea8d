/**
 * What a SAML assertion says, checked as AWS checks it.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_saml_assertions.html
 */
import { instant } from "#gateway/federation/saml-metadata.ts";
import { childrenOf, type XmlElement } from "#gateway/federation/xml.ts";
import type { ContextKeys } from "#gateway/operation.ts";
import { ASSERTION, SamlError } from "./signed-assertion.ts";

/** "Token must be redeemed within 5 minutes of issuance" */
const REDEEM_WITHIN_MS = 5 * 60_000;
/** How far the provider's clock may be ahead of ours. */
const CLOCK_SKEW_MS = 5 * 60_000;
const BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer";
const NAME_FORMAT = "urn:oasis:names:tc:SAML:2.0:nameid-format:";
/** With a region in front, and with the provider's own place behind it or not. */
const SIGN_IN_ENDPOINT =
  /^https:\/\/(?:[a-z0-9-]+\.)?signin\.(?:aws\.amazon\.com|amazonaws\.cn|amazonaws-us-gov\.com)\/(?:static\/)?saml(?:\/acs\/(\w+))?$/;
const AUDIENCE = "urn:amazon:webservices";

export class SamlExpiredError extends Error {
  override readonly name = "SamlExpiredError";
}

export interface Assertion {
  readonly issuer: string;
  readonly subject: string;
  /** "persistent", "transient", or a format's whole name. */
  readonly subjectType: string;
  readonly recipient: string;
  /** By attribute name. */
  readonly attributes: ReadonlyMap<string, readonly string[]>;
  /** The provider ends the user's session then. */
  readonly sessionUntil: Date | undefined;
}

interface Expected {
  /** The entity id of the provider's metadata. */
  readonly issuer: string;
  /** SAMLSP… */
  readonly providerId: string;
  readonly now: Date;
}

/** Throws SamlError, SamlExpiredError or XmlError. */
export function readAssertion(assertion: XmlElement, expected: Expected): Assertion {
  const issuer = only(assertion, "Issuer").text.trim();
  if (issuer !== expected.issuer) throw new SamlError("Issuer not present in specified provider");
  const issued = instant(assertion.attributes.get("IssueInstant"));
  if (!issued) throw new SamlError("The assertion does not say when it was issued");
  requireConditions(only(assertion, "Conditions"), expected);
  const subject = only(assertion, "Subject");
  const recipient = confirmedRecipient(subject, expected);
  if (expected.now.getTime() - issued.getTime() > REDEEM_WITHIN_MS) {
    throw new SamlExpiredError("Token must be redeemed within 5 minutes of issuance");
  }
  const sessionUntil = sessionEnd(assertion);
  if (sessionUntil && sessionUntil <= expected.now) throw new SamlExpiredError("Response has expired");
  const nameId = only(subject, "NameID");
  const format = nameId.attributes.get("Format") ?? "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified";
  return {
    issuer,
    subject: nameId.text.trim(),
    subjectType: format.startsWith(NAME_FORMAT) ? format.slice(NAME_FORMAT.length) : format,
    recipient,
    attributes: attributesOf(assertion),
    sessionUntil,
  };
}

function only(parent: XmlElement, name: string): XmlElement {
  const [element, ...more] = childrenOf(parent, ASSERTION, name);
  if (!element || more.length > 0) throw new SamlError(`The assertion must have exactly one ${name} element`);
  return element;
}

function requireConditions(conditions: XmlElement, { now }: Expected): void {
  requireBefore(conditions, now);
  const notBefore = instant(conditions.attributes.get("NotBefore"));
  if (notBefore && notBefore.getTime() > now.getTime() + CLOCK_SKEW_MS) {
    throw new SamlError("The SAML response is not valid yet");
  }
  const restrictions = childrenOf(conditions, ASSERTION, "AudienceRestriction");
  const meant = (restriction: XmlElement) =>
    childrenOf(restriction, ASSERTION, "Audience").some(
      ({ text }) => text.trim() === AUDIENCE || SIGN_IN_ENDPOINT.test(text.trim()),
    );
  // Each restriction must be met.
  if (restrictions.length === 0 || !restrictions.every(meant)) {
    throw new SamlError("Response does not contain the required audience.");
  }
}

function requireBefore({ attributes }: XmlElement, now: Date): void {
  const end = instant(attributes.get("NotOnOrAfter"));
  if (end && end.getTime() <= now.getTime()) throw new SamlExpiredError("Response has expired");
}

/**
 * "There must be exactly one SubjectConfirmation element with a SubjectConfirmationData element that includes both the
 * NotOnOrAfter attribute and a Recipient attribute."
 */
function confirmedRecipient(subject: XmlElement, { now, providerId }: Expected): string {
  const confirmation = only(subject, "SubjectConfirmation");
  const data = only(confirmation, "SubjectConfirmationData");
  const recipient = data.attributes.get("Recipient") ?? "";
  const [endpoint, ofProvider] = SIGN_IN_ENDPOINT.exec(recipient) ?? [];
  if (confirmation.attributes.get("Method") !== BEARER || !data.attributes.has("NotOnOrAfter")) {
    throw new SamlError("The assertion's SubjectConfirmation is not one of a bearer with a NotOnOrAfter");
  }
  if (!endpoint || (ofProvider !== undefined && ofProvider !== providerId)) {
    throw new SamlError("The assertion's Recipient is not an AWS sign-in endpoint");
  }
  requireBefore(data, now);
  return recipient;
}

function attributesOf(assertion: XmlElement): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  for (const statement of childrenOf(assertion, ASSERTION, "AttributeStatement")) {
    for (const attribute of childrenOf(statement, ASSERTION, "Attribute")) {
      const name = attribute.attributes.get("Name") ?? "";
      const values = childrenOf(attribute, ASSERTION, "AttributeValue").map(({ text }) => text.trim());
      found.set(name, [...(found.get(name) ?? []), ...values]);
    }
  }
  return found;
}

function sessionEnd(assertion: XmlElement): Date | undefined {
  const ends = childrenOf(assertion, ASSERTION, "AuthnStatement")
    .map(({ attributes }) => instant(attributes.get("SessionNotOnOrAfter"))?.getTime())
    .filter((end) => end !== undefined);
  return ends.length === 0 ? undefined : new Date(Math.min(...ends));
}

/** Of the attributes that AWS knows: the condition key, and whether it has one value or a list. */
const ATTRIBUTE_KEYS: Readonly<Record<string, readonly [key: string, type: "text" | "list"]>> = {
  "urn:oid:1.3.6.1.4.1.5923.1.1.1.1": ["edupersonaffiliation", "list"],
  "urn:oid:1.3.6.1.4.1.5923.1.1.1.2": ["edupersonnickname", "list"],
  "urn:oid:1.3.6.1.4.1.5923.1.1.1.3": ["edupersonorgdn", "text"],
  "urn:oid:1.3.6.1.4.1.5923.1.1.1.4": ["edupersonorgunitdn", "list"],
  "urn:oid:1.3.6.1.4.1.5923.1.1.1.5": ["edupersonprimaryaffiliation", "text"],
  "urn:oid:1.3.6.1.4.1.5923.1.1.1.6": ["edupersonprincipalname", "text"],
  "urn:oid:1.3.6.1.4.1.5923.1.1.1.7": ["edupersonentitlement", "list"],
  "urn:oid:1.3.6.1.4.1.5923.1.1.1.8": ["edupersonprimaryorgunitdn", "text"],
  "urn:oid:1.3.6.1.4.1.5923.1.1.1.9": ["edupersonscopedaffiliation", "list"],
  "urn:oid:1.3.6.1.4.1.5923.1.1.1.10": ["edupersontargetedid", "list"],
  "urn:oid:1.3.6.1.4.1.5923.1.1.1.11": ["edupersonassurance", "list"],
  "urn:oid:1.3.6.1.4.1.5923.1.2.1.2": ["eduorghomepageuri", "list"],
  "urn:oid:1.3.6.1.4.1.5923.1.2.1.3": ["eduorgidentityauthnpolicyuri", "list"],
  "urn:oid:1.3.6.1.4.1.5923.1.2.1.4": ["eduorglegalname", "list"],
  "urn:oid:1.3.6.1.4.1.5923.1.2.1.5": ["eduorgsuperioruri", "list"],
  "urn:oid:1.3.6.1.4.1.5923.1.2.1.6": ["eduorgwhitepagesuri", "list"],
  "urn:oid:2.5.4.3": ["cn", "list"],
  "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name": ["name", "text"],
  "http://schemas.xmlsoap.org/claims/CommonName": ["commonname", "text"],
  "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname": ["givenname", "text"],
  "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname": ["surname", "text"],
  "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress": ["mail", "text"],
  "http://schemas.microsoft.com/ws/2008/06/identity/claims/primarygroupsid": ["uid", "text"],
  "2.5.4.3": ["commonname", "text"],
  "2.5.4.4": ["surname", "text"],
  "2.4.5.42": ["givenname", "text"],
  "2.5.4.45": ["x500uniqueidentifier", "text"],
  "0.9.2342.19200300100.1.1": ["uid", "text"],
  "0.9.2342.19200300100.1.3": ["mail", "text"],
  "0.9.2342.19200300.100.1.45": ["organizationstatus", "text"],
};

/** `saml:…` of the attributes, for trust policies. "If you include more than one, only one claim will be mapped." */
export function attributeKeys({ attributes }: Assertion): ContextKeys {
  const keys: Record<string, string | readonly string[]> = {};
  for (const [name, values] of attributes) {
    const known = Object.hasOwn(ATTRIBUTE_KEYS, name) ? ATTRIBUTE_KEYS[name] : undefined;
    if (!known || values.length === 0) continue;
    keys[`saml:${known[0]}`] ??= known[1] === "text" ? values[0]! : values;
  }
  return keys;
}
