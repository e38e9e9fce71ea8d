#!/usr/bin/env bash
# Delivers Cruddur's backend to production with nothing but the aws CLI, git, docker and curl: creates everything from the
# connection to the pipeline, releases version 1 by hand, merges version 2 into `prod`, and verifies what comes of it.
#
#   eval "$(npx slipway env)" && examples/cruddur/deliver.sh      on Slipway
#   OWNER=… REPOSITORIES=https://github.com … deliver.sh          on AWS, see README.md
#
# For an account that has none of it yet. The exit status says whether every step held.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

# --- What is not AWS's: where the code is, and how this machine reaches what AWS gives host names of its own.
OWNER=${OWNER:-omenking}
# A folder or URL with OWNER/aws-bootcamp-cruddur-2023.git below it: the same that the connection's provider endpoint is.
REPOSITORIES=${REPOSITORIES:?the folder or URL of git repositories that the connection resolves OWNER/NAME in}
# docker reaches Slipway's registry through its port; empty on AWS, whose registries have host names.
REGISTRY=${REGISTRY-$(sed -E 's|^https?://([^/]+).*|\1/|' <<<"${AWS_ENDPOINT_URL:-}")}
# The Dockerfile's base image, as this machine's docker holds or pulls it.
BASE_IMAGE=${BASE_IMAGE:-$(docker images --quiet slipway/cruddur-python | head -1)}
BASE_IMAGE=${BASE_IMAGE:-python:3.10-slim-buster}
# Where GitHub would post its webhook; unset: the URL that CreateWebhook answers with.
WEBHOOK_URL=${WEBHOOK_URL:-}
# Where the load balancer answers; unset: its own host name.
LOAD_BALANCER_URL=${LOAD_BALANCER_URL:-}

# --- What AWS needs of a VPC. Slipway has none: any well-formed ids do.
VPC=${VPC:-vpc-0c4ff0dd97c4a5d31}
SUBNET_1=${SUBNET_1:-subnet-0a1b2c3d4e5f60718}
SUBNET_2=${SUBNET_2:-subnet-0b1c2d3e4f5061728}
SECURITY_GROUP=${SECURITY_GROUP:-sg-0d1e2f3a4b5c6d7e8}

PROJECT=cruddur-backend-flask-bake-image
PIPELINE=cruddur-backend-fargate
BUILD_LOGS=/cruddur/build/backend-flask
PORT=4567
WAIT_SECONDS=${WAIT_SECONDS:-600}

export AWS_PAGER="" AWS_DEFAULT_OUTPUT=text
ACCOUNT_ID=$(aws sts get-caller-identity --query Account)
AWS_DEFAULT_REGION=${AWS_DEFAULT_REGION:-$(aws configure get region)}
export AWS_DEFAULT_REGION
ECR=$ACCOUNT_ID.dkr.ecr.$AWS_DEFAULT_REGION.amazonaws.com
ARTIFACT_BUCKET=codepipeline-$AWS_DEFAULT_REGION-$ACCOUNT_ID
GIT_REMOTE=$REPOSITORIES/$OWNER/aws-bootcamp-cruddur-2023.git

work=$(mktemp -d)
client=
cleanup() {
  if [ -n "$client" ]; then kill "$client" 2>/dev/null || true; fi
  rm -rf "$work"
}
trap cleanup EXIT

step() { printf '%4d s  %s\n' "$SECONDS" "$*"; }
fail() {
  printf 'FAILED: %s\n' "$*" >&2
  exit 1
}

# The file with every $NAME that this script knows replaced, as an argument for the aws CLI.
filled() {
  local text name
  text=$(<"aws/$1")
  for name in ACCOUNT_ID AWS_DEFAULT_REGION ARTIFACT_BUCKET OWNER CONNECTION_ARN TARGET_GROUP_ARN SUBNET_1 SUBNET_2 SECURITY_GROUP; do
    text=${text//"\$$name"/${!name:-}}
  done
  printf '%s\n' "$text" >"$work/$1"
  printf 'file://%s' "$work/$1"
}

# Runs a command every second until it prints the wanted word; fails on one of the others, or when time is over.
#   wait_for WANTED "BAD BAD" COMMAND...
wait_for() {
  local wanted=$1 bad=$2 deadline=$((SECONDS + WAIT_SECONDS)) now=
  shift 2
  while ((SECONDS < deadline)); do
    now=$("$@")
    [ "$now" != "$wanted" ] || return 0
    if [ -n "$now" ]; then case " $bad " in *" $now "*) fail "$* says $now" ;; esac; fi
    sleep 1
  done
  fail "$* still says \"$now\" after $WAIT_SECONDS s"
}

role() { # NAME PATH TRUST
  aws iam create-role --role-name "$1" --path "$2" --assume-role-policy-document "$(filled "trust-$3.json")" >/dev/null
}
policy() { # ROLE NAME FILE
  aws iam put-role-policy --role-name "$1" --policy-name "$2" --policy-document "$(filled "$3")"
}

# ---------------------------------------------------------------------------------------------------------------------
step "The connection"
CONNECTION_ARN=$(aws codestar-connections create-connection --provider-type GitHub --connection-name cruddur --query ConnectionArn)
connection_status() { aws codestar-connections get-connection --connection-arn "$CONNECTION_ARN" --query Connection.ConnectionStatus; }
[ "$(connection_status)" = AVAILABLE ] || step "  waiting for it to be completed in the console (Developer Tools > Settings > Connections)"
wait_for AVAILABLE ERROR connection_status

step "The repository, with version 1 on main and prod"
source=$work/source
git init --quiet --initial-branch=main "$source"
in_source() { git -C "$source" -c user.name="Cruddur Developer" -c user.email=developer@cruddur.example -c commit.gpgsign=false "$@"; }
cp -R backend-flask "$source/"
literals() { # FILE LINES: account and region in place of their variables, as real files have them
  sed "$2 s/\\\$ACCOUNT_ID/$ACCOUNT_ID/; $2 s/\\\$AWS_DEFAULT_REGION/$AWS_DEFAULT_REGION/" "backend-flask/$1" >"$source/backend-flask/$1"
}
literals Dockerfile 1
literals buildspec.yml '/^env:/,$'
in_source add .
in_source commit --quiet --message "Say that the backend is well, and which version it is"
in_source branch prod
case $GIT_REMOTE in
*://*) ;;
*) [ -d "$GIT_REMOTE" ] || git init --quiet --bare --initial-branch=main "$GIT_REMOTE" ;;
esac
in_source push --quiet "$GIT_REMOTE" main prod

step "The image repositories, holding the base image and version 1"
for repository in cruddur-python backend-flask; do
  aws ecr create-repository --repository-name "$repository" --image-tag-mutability MUTABLE >/dev/null
done
registry_host=${REGISTRY:-$ECR}
aws ecr get-login-password | docker login --username AWS --password-stdin "${registry_host%/}" >/dev/null 2>"$work/login" ||
  fail "docker login: $(<"$work/login")"
docker tag "$BASE_IMAGE" "$ECR/cruddur-python:3.10-slim-buster"
docker build --quiet --tag "$ECR/backend-flask:latest" "$source/backend-flask" >/dev/null
for image in cruddur-python:3.10-slim-buster backend-flask:latest; do
  docker tag "$ECR/$image" "$REGISTRY$ECR/$image"
  docker push --quiet "$REGISTRY$ECR/$image" >/dev/null
done

step "The roles"
role CruddurServiceExecutionRole / ecs-tasks
policy CruddurServiceExecutionRole CruddurServiceExecutionPolicy execution-policy.json
role CruddurTaskRole / ecs-tasks
build_role=codebuild-$PROJECT-service-role
role "$build_role" /service-role/ codebuild
policy "$build_role" "CodeBuildBasePolicy-$PROJECT-$AWS_DEFAULT_REGION" codebuild-policy.json
policy "$build_role" "CodeBuildCodeConnectionsSourceCredentialsPolicy-$PROJECT-$AWS_DEFAULT_REGION" codebuild-connection-policy.json
policy "$build_role" EcrForBuildingImages ecr-policy.json
pipeline_role=AWSCodePipelineServiceRole-$AWS_DEFAULT_REGION-$PIPELINE
role "$pipeline_role" /service-role/ codepipeline
policy "$pipeline_role" "$pipeline_role" codepipeline-policy.json

step "The log groups"
aws logs create-log-group --log-group-name cruddur
aws logs create-log-group --log-group-name "$BUILD_LOGS"

step "The cluster, the task definition, the load balancer and the service"
aws ecs create-cluster --cluster-name cruddur >/dev/null
aws ecs register-task-definition --cli-input-json "$(filled task-definition.json)" >/dev/null
TARGET_GROUP_ARN=$(aws elbv2 create-target-group --name cruddur-backend-flask-tg --protocol HTTP --port $PORT --target-type ip --vpc-id "$VPC" \
  --health-check-path /api/health-check --health-check-interval-seconds 5 --health-check-timeout-seconds 2 \
  --healthy-threshold-count 2 --unhealthy-threshold-count 2 --query 'TargetGroups[0].TargetGroupArn')
aws elbv2 modify-target-group-attributes --target-group-arn "$TARGET_GROUP_ARN" \
  --attributes Key=deregistration_delay.timeout_seconds,Value=5 >/dev/null
load_balancer=$(aws elbv2 create-load-balancer --name cruddur-alb --type application --scheme internet-facing \
  --subnets "$SUBNET_1" "$SUBNET_2" --security-groups "$SECURITY_GROUP" --query 'LoadBalancers[0].[LoadBalancerArn,DNSName]')
read -r load_balancer_arn load_balancer_name <<<"$load_balancer"
aws elbv2 create-listener --load-balancer-arn "$load_balancer_arn" --protocol HTTP --port $PORT \
  --default-actions "Type=forward,TargetGroupArn=$TARGET_GROUP_ARN" >/dev/null
aws ecs create-service --cli-input-json "$(filled service.json)" >/dev/null
aws ecs wait services-stable --cluster cruddur --services backend-flask

url=${LOAD_BALANCER_URL:-http://$load_balancer_name:$PORT}
served_version() { curl --silent --max-time 5 "$url/" | sed -nE 's/.*"version": ?"([^"]*)".*/\1/p'; }
wait_for 1 "" served_version

step "The build project and its webhook"
aws codebuild create-project --cli-input-json "$(filled project.json)" >/dev/null
webhook=$(aws codebuild create-webhook --cli-input-json "$(filled webhook.json)" --query 'webhook.[payloadUrl,secret]')
read -r payload_url webhook_secret <<<"$webhook"

step "The pipeline, which runs once as it is created"
# S3's first region is the one that cannot be named.
location=()
[ "$AWS_DEFAULT_REGION" = us-east-1 ] ||
  location=(--create-bucket-configuration "LocationConstraint=$AWS_DEFAULT_REGION")
aws s3api create-bucket --bucket "$ARTIFACT_BUCKET" "${location[@]}" >/dev/null
aws codepipeline create-pipeline --cli-input-json "$(filled pipeline.json)" >/dev/null
# Empty until there are this many executions, then the newest one's status.
execution_status() { # COUNT
  aws codepipeline list-pipeline-executions --pipeline-name $PIPELINE --output json \
    --query "length(pipelineExecutionSummaries) >= \`$1\` && pipelineExecutionSummaries[0].status || ''" | tr -d '"'
}
wait_for Succeeded "Failed Stopped Superseded Cancelled" execution_status 1

# ---------------------------------------------------------------------------------------------------------------------
step "A client calls all along"
(
  while :; do
    curl --silent --show-error --fail --max-time 5 --output /dev/null --write-out '%{http_code}\n' "$url/api/health-check" \
      >>"$work/answers" 2>>"$work/failures" || true
    sleep 0.1
  done
) &
client=$!

step "Version 2 is merged into prod"
echo 2 >"$source/backend-flask/VERSION"
in_source commit --quiet --all --message "Release version 2"
head_sha=$(in_source rev-parse main)
in_source checkout --quiet prod
in_source merge --quiet --no-ff --message "Merge pull request #1 from $OWNER/main" main
merge_sha=$(in_source rev-parse prod)
in_source push --quiet "$GIT_REMOTE" main prod

# GitHub's event, shortened to what AWS reads of it:
# https://docs.github.com/en/webhooks/webhook-events-and-payloads#pull_request
cat >"$work/event.json" <<EVENT
{
  "action": "closed",
  "number": 1,
  "pull_request": {
    "number": 1,
    "state": "closed",
    "title": "Release version 2",
    "merged": true,
    "merge_commit_sha": "$merge_sha",
    "user": { "login": "$OWNER", "id": 7776 },
    "head": { "ref": "main", "sha": "$head_sha" },
    "base": { "ref": "prod", "sha": "$(in_source rev-parse prod^1)" }
  },
  "repository": {
    "name": "aws-bootcamp-cruddur-2023",
    "full_name": "$OWNER/aws-bootcamp-cruddur-2023",
    "html_url": "https://github.com/$OWNER/aws-bootcamp-cruddur-2023",
    "clone_url": "https://github.com/$OWNER/aws-bootcamp-cruddur-2023.git",
    "default_branch": "main"
  },
  "sender": { "login": "$OWNER", "id": 7776 }
}
EVENT
signature=$(openssl dgst -sha256 -hmac "$webhook_secret" <"$work/event.json" | sed 's/.* //')
curl --silent --show-error --fail ${AWS_CA_BUNDLE:+--cacert "$AWS_CA_BUNDLE"} --output /dev/null \
  --header "Content-Type: application/json" --header "User-Agent: GitHub-Hookshot/slipway" \
  --header "X-GitHub-Event: pull_request" --header "X-GitHub-Delivery: 72d3162e-cc78-11e3-81ab-4c9367dc0958" \
  --header "X-Hub-Signature-256: sha256=$signature" --data-binary "@$work/event.json" "${WEBHOOK_URL:-$payload_url}"

step "  waiting for the pipeline"
wait_for Succeeded "Failed Stopped Superseded Cancelled" execution_status 2

# ---------------------------------------------------------------------------------------------------------------------
step "The load balancer answers with version 2"
wait_for 2 "" served_version
aws ecs wait services-stable --cluster cruddur --services backend-flask

step "The client saw no failed request"
kill "$client"
wait "$client" 2>/dev/null || true
client=
[ ! -s "$work/failures" ] || fail "$(head -3 "$work/failures")"
[ "$(sort -u "$work/answers")" = 200 ] || fail "the client saw $(sort "$work/answers" | uniq -c)"

step "Every build succeeded, one of them the webhook's"
read -r -a builds <<<"$(aws codebuild list-builds-for-project --project-name $PROJECT --query ids | tr '\t\n' '  ')"
build_states() { aws codebuild batch-get-builds --ids "${builds[@]}" --query 'builds[].buildStatus' | tr '\t' '\n' | sort -u | tr '\n' ' ' | sed 's/ $//'; }
wait_for SUCCEEDED "FAILED FAULT STOPPED TIMED_OUT" build_states
aws codebuild batch-get-builds --ids "${builds[@]}" --query 'builds[].initiator' | grep -q "GitHub-Hookshot" ||
  fail "no build was started by the webhook"

step "Each build's log is complete"
completed=$(aws logs filter-log-events --log-group-name "$BUILD_LOGS" --filter-pattern '"Phase complete: POST_BUILD State: SUCCEEDED"' \
  --query 'length(events)' --output json)
[ "$completed" = "${#builds[@]}" ] || fail "$completed of ${#builds[@]} builds are logged to their end"

step "The badge says passing"
badge=$(aws codebuild batch-get-projects --names $PROJECT --query 'projects[0].badge.badgeRequestUrl')
curl --silent --fail ${AWS_CA_BUNDLE:+--cacert "$AWS_CA_BUNDLE"} "${badge}&branch=prod" | grep -q passing || fail "$badge does not say passing"

step "Delivered: $url"
