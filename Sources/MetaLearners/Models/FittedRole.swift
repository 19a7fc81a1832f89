import MetaLearnersCore

/// The models of a role: one a fold and repeat, and one of all rows where that was wanted.
///
/// Which covariates they see follows from the spec of the model that they belong to.
struct FittedRole<Role: Sendable>: Sendable {
    let role: Role
    let models: CrossFittedModels
}
