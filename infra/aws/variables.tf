variable "region" {
  description = "Region of everything here."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "Write a region such as sa-east-1."
  }
}

variable "name" {
  description = "Begins the names of what is made here."
  type        = string
  default     = "comporta"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,30}$", var.name))
    error_message = "Lower-case letters, digits and hyphens, a letter first, at most 31 in all."
  }
}

variable "tags" {
  description = "Tags of everything that has tags."
  type        = map(string)
  default     = { application = "comporta" }
}

variable "bucket" {
  description = "Name of the lake's bucket, which is made here."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.bucket))
    error_message = "3 to 63 lower-case letters, digits, dots and hyphens."
  }
}

variable "prefix" {
  description = "Where in the bucket the lake begins, without slashes at its ends. Empty: at the top."
  type        = string
  default     = ""

  validation {
    condition     = !startswith(var.prefix, "/") && !endswith(var.prefix, "/")
    error_message = "Leave out the slashes at both ends."
  }
}

variable "kms_key_arn" {
  description = "Key of KMS that encrypts the lake, the secrets, the logs and the notices. Its policy must allow CloudWatch Logs, EventBridge and CloudWatch to use it. Null: keys of AWS."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null ? true : can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/.+$", var.kms_key_arn))
    error_message = "Write the ARN of a key, arn:aws:kms:…:key/…; an alias will not do."
  }
}

variable "staging_days" {
  description = "After so many days S3 deletes what lies staged, and uploads that were never completed. Longer than the longest load."
  type        = number
  default     = 7

  validation {
    condition     = var.staging_days >= 2 && floor(var.staging_days) == var.staging_days
    error_message = "A whole number of 2 or more."
  }
}

variable "secrets" {
  description = "Names of the secrets with the passwords of databases. Their values are put in by hand."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for name in var.secrets : can(regex("^[A-Za-z0-9/_+=.@-]{1,200}$", name))])
    error_message = "Letters, digits and /_+=.@- only, at most 200."
  }
}

variable "worker_services" {
  description = "Services of AWS in which workers run, such as ecs-tasks.amazonaws.com or ec2.amazonaws.com."
  type        = set(string)
  default     = ["ecs-tasks.amazonaws.com"]

  validation {
    condition     = length(var.worker_services) > 0
    error_message = "Name at least one service."
  }
}

variable "network" {
  description = "The subnet from which Glue reaches the database, its availability zone, and security groups, one of which allows everything from itself. Null: no network of yours."
  type = object({
    subnet_id          = string
    availability_zone  = string
    security_group_ids = list(string)
  })
  default = null

  validation {
    condition     = var.network == null ? true : length(var.network.security_group_ids) > 0
    error_message = "Name at least one security group."
  }
}

variable "glue" {
  description = "The Glue job. max_concurrent_runs: loads at once; jars: URLs of the JDBC drivers; timeout_minutes: of runs that are started by others than Comporta."
  type = object({
    version             = optional(string, "5.0")
    worker_type         = optional(string, "G.1X")
    workers             = optional(number, 4)
    max_concurrent_runs = optional(number, 10)
    timeout_minutes     = optional(number, 240)
    jars                = optional(list(string), [])
  })
  default = {}

  validation {
    condition     = tonumber(split(".", var.glue.version)[0]) >= 5
    error_message = "The job is for Glue 5.0 and later."
  }
  validation {
    condition     = contains(["G.1X", "G.2X", "G.4X", "G.8X"], var.glue.worker_type)
    error_message = "One of G.1X, G.2X, G.4X and G.8X."
  }
  validation {
    condition     = var.glue.workers >= 2 && var.glue.max_concurrent_runs >= 1
    error_message = "At least 2 workers, and at least 1 run at once."
  }
  validation {
    condition     = alltrue([for jar in var.glue.jars : startswith(jar, "s3://")])
    error_message = "Write the URLs of the JDBC drivers as s3://…"
  }
}

variable "worker_log_group" {
  description = "Log group that the workers write to; made here."
  type        = string
  default     = "/comporta/worker"
}

variable "log_retention_days" {
  description = "How long the worker's log is kept."
  type        = number
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "One of the retentions that CloudWatch Logs knows: 1, 3, 5, 7, 14, 30, 60, 90, …"
  }
}

variable "alert_emails" {
  description = "Who is told of alarms. Each has to confirm by e-mail."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for address in var.alert_emails : can(regex("^[^@\\s]+@[^@\\s]+$", address))])
    error_message = "Write e-mail addresses."
  }
}
