/**
 * XML from identity providers, read without trust: no document type, so no entities but XML's own five, bounded in depth.
 * What comes out is plain data; comments and processing instructions are left out, as if they had not been there.
 */
import { createRequire } from "node:module";

/** An element by its namespace and local name. */
export interface XmlElement {
  readonly namespace: string;
  readonly name: string;
  /** By local name; attributes of foreign namespaces are left out. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  /** What it holds outside of its children: text on both sides of a comment is one text. */
  readonly text: string;
}

/** As far as this module and the signature check read the parser's tree. */
export interface DomNode {
  readonly nodeType: number;
  readonly namespaceURI: string | null;
  readonly localName: string;
  readonly nodeValue: string | null;
  readonly documentElement?: DomNode | null;
  readonly firstChild: DomNode | null;
  readonly nextSibling: DomNode | null;
  readonly attributes: { readonly length: number; item(index: number): DomNode };
}

interface DomParser {
  parseFromString(text: string, type: string): DomNode;
}

/** Loaded with the first document: most Slipways never see one. */
const require = createRequire(import.meta.url);

const ELEMENT = 1;
const TEXT = 3;
const CDATA = 4;
/** SAML's deepest documents have about ten levels. Readers further on are recursive. */
const MAX_DEPTH = 50;
/** SAML's largest documents, with a person's groups in them, have some hundreds. Each takes its time when a signature is checked. */
const MAX_ELEMENTS = 5_000;

/** The document is not one that is read here. */
export class XmlError extends Error {
  override readonly name = "XmlError";
}

/** The parser's tree of a document that has been checked. Throws XmlError. */
export function parsedDocument(text: string): { readonly dom: DomNode; readonly root: XmlElement } {
  // An entity of the document's own could grow without bound, or read a file; SAML forbids document types altogether.
  if (/<!(DOCTYPE|ENTITY)/i.test(text)) throw new XmlError("The document has a document type");
  const refuse = (message: unknown) => {
    throw new XmlError(String(message));
  };
  // The package's own types would bring a browser's globals into every file.
  const { DOMParser } = require("@xmldom/xmldom") as { DOMParser: new (options: object) => DomParser };
  const parser = new DOMParser({ locator: {}, errorHandler: { warning: refuse, error: refuse, fatalError: refuse } });
  let dom: DomNode | undefined;
  try {
    dom = parser.parseFromString(text, "text/xml");
  } catch (error) {
    throw error instanceof XmlError ? error : new XmlError(String(error));
  }
  const top = dom?.documentElement;
  if (!dom || !top) throw new XmlError("The document has no element");
  return { dom, root: toElement(top, 1, { elements: 0 }) };
}

/** Throws XmlError. */
export function parseXml(text: string): XmlElement {
  return parsedDocument(text).root;
}

export function childrenOf(element: XmlElement, namespace: string, name: string): XmlElement[] {
  return element.children.filter((child) => child.namespace === namespace && child.name === name);
}

/** The nodes below one of the parser's, for what must be handed back to it. */
export function* domChildren(node: DomNode): Iterable<DomNode> {
  for (let child = node.firstChild; child; child = child.nextSibling) yield child;
}

function toElement(node: DomNode, depth: number, seen: { elements: number }): XmlElement {
  if (depth > MAX_DEPTH) throw new XmlError("The document is nested too deeply");
  if (++seen.elements > MAX_ELEMENTS) throw new XmlError("The document has too many elements");
  const children: XmlElement[] = [];
  let text = "";
  for (const child of domChildren(node)) {
    if (child.nodeType === ELEMENT) children.push(toElement(child, depth + 1, seen));
    else if (child.nodeType === TEXT || child.nodeType === CDATA) text += child.nodeValue ?? "";
  }
  return { namespace: node.namespaceURI ?? "", name: node.localName, attributes: attributesOf(node), children, text };
}

function attributesOf({ attributes }: DomNode): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (let index = 0; index < attributes.length; index++) {
    const { namespaceURI, localName, nodeValue } = attributes.item(index);
    if (!namespaceURI) found.set(localName, nodeValue ?? "");
  }
  return found;
}
