/// The configuration of a stack of base learners.
public struct StackSpec: BaseEstimatorSpec {
    /// The members; nil for the standard ones: a linear model (`ridge`, for classes `logistic`) and small boosted trees.
    public var members: [EstimatorChoice]?
    /// Folds that weights are found from where cross-fitting holds no rows out.
    public var folds = 5
    /// How many standard errors better than with the first member alone rows held out have to be predicted, where classes are; the first
    /// member stays alone else. 0: all members count from the beginning.
    public var leastAdvantage = 1.645

    /// The most members that a stack may have.
    public static let mostMembers = 20

    /// The standard members for numbers.
    static let ofNumbers = [EstimatorChoice("ridge"), smallTrees]
    /// The standard members for classes.
    static let ofClasses = [EstimatorChoice("logistic"), smallTrees]
    /// Trees of four leaves: what is stacked beside a linear model has to find what that cannot, such as products and steps. (With a
    /// learning rate of 0.1 errors are the same and rounds twice as many: `Benchmarks/accuracy`.)
    private static let smallTrees = EstimatorChoice("trees", ["max_leaves": 4, "learning_rate": 0.2])

    /// The keys.
    public static let parameters: [Parameter<StackSpec>] = [
        Parameter(
            "members",
            "base learners, each by name or as {backend: NAME, …}; auto: ridge, for classes logistic, and small trees",
            range: "auto, or list of base learners",
            read: { value, place, spec throws(MetaLearnersError) in
                if value.stringValue == automatic {
                    spec.members = nil
                    return
                }
                guard let list = value.arrayValue, !list.isEmpty else {
                    throw place.error(
                        "must be auto or a list of base learners, not "
                            + (value.arrayValue == nil ? value.kindName : "an empty list"))
                }
                guard list.count <= mostMembers else {
                    throw place.error("has \(list.count) base learners, more than \(mostMembers)")
                }
                var members: [EstimatorChoice] = []
                for (index, entry) in list.enumerated() {
                    members.append(try member(entry, at: place.appending("\(index)")))
                }
                spec.members = members
            },
            write: { spec in
                guard let members = spec.members else { return .string(automatic) }
                return .array(
                    members.map { $0.parameters.isEmpty ? .string($0.backend) : $0.specValue })
            }),
        .number(
            "least_advantage", \.leastAdvantage, in: 0...100,
            "of classes: standard errors by which the others must improve on the first member, which else stays alone"
        ),
        .integer(
            "folds", \.folds, in: 2...1000,
            "folds that the weights are found from where cross-fitting holds no rows out; clusters stay whole"
        ),
    ]
    private static let automatic = "auto"

    /// Creates the configuration with its defaults.
    public init() {}

    /// Creates the configuration of a stack of these base learners.
    public init(members: [EstimatorChoice]) { self.members = members }

    private static func member(_ value: SpecValue, at place: SpecPath) throws(MetaLearnersError)
        -> EstimatorChoice
    {
        if let object = value.objectValue, object["backend"] == nil {
            throw place.error("names no backend", remedy: "begin with backend: NAME")
        }
        return try EstimatorChoice(value, at: place, standard: EstimatorChoice(""))
    }
}
