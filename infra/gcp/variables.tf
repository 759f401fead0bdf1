variable "project" {
  description = "Id of the project; it is there already."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project))
    error_message = "Write the id of a project, not its name or number."
  }
}

variable "region" {
  description = "Region of the bucket, the dataset and the cluster."
  type        = string

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "Write a region such as us-central1."
  }
}

variable "name" {
  description = "Begins the names of accounts and alerts that are made here."
  type        = string
  default     = "comporta"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,19}$", var.name))
    error_message = "Lower-case letters, digits and hyphens, a letter first, at most 20 in all."
  }
}

variable "labels" {
  description = "Labels of everything that has labels."
  type        = map(string)
  default     = { application = "comporta" }
}

variable "bucket" {
  description = "Name of the lake's bucket, which is made here."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$", var.bucket))
    error_message = "3 to 63 lower-case letters, digits, dots, hyphens and underscores."
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

variable "staging_days" {
  description = "After so many days Google deletes what lies staged, and uploads in parts that were never completed. Longer than the longest load."
  type        = number
  default     = 7

  validation {
    condition     = var.staging_days >= 2 && floor(var.staging_days) == var.staging_days
    error_message = "A whole number of 2 or more."
  }
}

variable "kms_key" {
  description = "Key of Cloud KMS, in the region, for the lake, the dataset, the secrets and the cluster's disks. Null: keys of Google. The services' own accounts must be allowed to use it (README.md)."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key == null ? true : can(regex("^projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+$", var.kms_key))
    error_message = "Write projects/…/locations/…/keyRings/…/cryptoKeys/…"
  }
}

variable "dataset" {
  description = "Dataset of BigQuery for Historico_Execucao, made here; Comporta makes its tables and views. Null: the history is elsewhere."
  type        = string
  default     = "comporta"

  validation {
    condition     = var.dataset == null ? true : can(regex("^[A-Za-z0-9_]+$", var.dataset))
    error_message = "Letters, digits and underscores."
  }
}

variable "secrets" {
  description = "Names of the secrets with the passwords of databases. Their values are put in by hand."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for name in var.secrets : can(regex("^[A-Za-z0-9_-]{1,255}$", name))])
    error_message = "Letters, digits, hyphens and underscores."
  }
}

variable "platform" {
  description = "Where jobs run: `cluster` (made here, and there all the time), `ephemeral` (a cluster for each batch, made by Comporta) or `serverless`."
  type        = string
  default     = "serverless"

  validation {
    condition     = contains(["cluster", "ephemeral", "serverless"], var.platform)
    error_message = "One of cluster, ephemeral and serverless."
  }
}

variable "subnetwork" {
  description = "Name of a subnetwork of the region, with Private Google Access, from which the database is reached. Null: the one of the network `default`."
  type        = string
  default     = null
}

variable "cluster" {
  description = "The cluster. name: only of one that is made here; secondary_workers_max: spot machines that the autoscaling policy may add; idle_minutes: only of one for a batch."
  type = object({
    name                  = optional(string, "comporta")
    image_version         = optional(string, "2.2-debian12")
    master_machine_type   = optional(string, "n2-standard-4")
    worker_machine_type   = optional(string, "n2-standard-4")
    workers               = optional(number, 2)
    secondary_workers_max = optional(number, 4)
    disk_gb               = optional(number, 200)
    idle_minutes          = optional(number, 10)
  })
  default = {}

  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]{0,49}[a-z0-9])?$", var.cluster.name))
    error_message = "A cluster's name has up to 51 lower-case letters, digits and hyphens, a letter first and no hyphen last."
  }
  validation {
    condition     = var.cluster.workers >= 2 && var.cluster.secondary_workers_max >= 0
    error_message = "At least 2 workers; secondary workers from 0."
  }
  validation {
    condition     = var.cluster.idle_minutes >= 5 && var.cluster.idle_minutes <= 20160
    error_message = "From 5 minutes to 14 days."
  }
}

variable "alert_emails" {
  description = "Who is told of alerts."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for address in var.alert_emails : can(regex("^[^@\\s]+@[^@\\s]+$", address))])
    error_message = "Write e-mail addresses."
  }
}
