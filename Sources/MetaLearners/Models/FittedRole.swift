import MetaLearnersCore

/// The models of a role: one a fold and repeat, and one of all rows where that was wanted.
struct FittedRole<Role: Sendable>: Sendable {
    let role: Role
    /// The covariates that the models see, by their positions in the schema; nil for all.
    let columns: [Int]?
    let models: CrossFittedModels

    init(role: Role, columns: [Int]?, models: CrossFittedModels) {
        self.role = role
        self.columns = columns
        self.models = models
    }

    /// What the models see of the covariates.
    func features(in covariates: Table) -> Table {
        columns.map { covariates.selecting(columns: $0) } ?? covariates
    }
}
