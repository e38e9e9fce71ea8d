/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_GenerateCredentialReport.html */
import type * as sdk from "@aws-sdk/client-iam";
import type { Call } from "#gateway/context.ts";
import type { OperationOf } from "#gateway/operation.ts";
import { inTransaction } from "#store/database.ts";
import { credentialReport } from "../credential-report.ts";
import { reportExpired, reportNotPresent } from "../errors.ts";
import { accountSettings, type CredentialReport, updateAccountSettings } from "../store/account-settings.ts";

/** "You can generate a credential report as often as once every four hours." */
const LIFETIME_MS = 4 * 3_600_000;

function isFresh({ generatedAt }: CredentialReport, call: Call): boolean {
  return call.now.getTime() - generatedAt.getTime() <= LIFETIME_MS;
}

/** A report that is made at once: it is STARTED by the call that makes it, and COMPLETE from then on. */
export const GenerateCredentialReport: OperationOf<sdk.GenerateCredentialReportCommand> = {
  authorize: { action: "iam:GenerateCredentialReport", resources: () => ["*"] },
  async run(_input, call) {
    await call.system.identities.flush?.(call.db);
    return inTransaction(call.db, async (trx) => {
      const { report } = await accountSettings(trx, call.accountId);
      if (report && isFresh(report, call)) return { State: "COMPLETE" };
      const content = await credentialReport(trx, call.accountId);
      await updateAccountSettings(trx, call.accountId, { report: { content, generatedAt: call.now } });
      return report
        ? { State: "STARTED" }
        : { State: "STARTED", Description: "No report exists. Starting a new report generation task" };
    });
  },
};

export const GetCredentialReport: OperationOf<sdk.GetCredentialReportCommand> = {
  authorize: { action: "iam:GetCredentialReport", resources: () => ["*"] },
  async run(_input, call) {
    const { report } = await accountSettings(call.db, call.accountId);
    if (!report) throw reportNotPresent("No credential report exists.");
    if (!isFresh(report, call)) throw reportExpired("The most recent credential report has expired.");
    return { Content: Buffer.from(report.content), ReportFormat: "text/csv", GeneratedTime: report.generatedAt };
  },
};
