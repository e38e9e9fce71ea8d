/** Names that the story's JSON inputs fix. */
export const PROJECT = "cruddur-backend-flask-bake-image";
export const PIPELINE = "cruddur-backend-fargate";
export const BUILD_LOGS = "/cruddur/build/backend-flask";
export const CLUSTER = "cruddur";
export const SERVICE = "backend-flask";
