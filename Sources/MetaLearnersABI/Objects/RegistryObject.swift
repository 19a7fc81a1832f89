import MetaLearners
import MetaLearnersCore
import MetaLearnersKit

/// What is behind `mtlr_registry`: a registry that grows, while those who took it before keep what they have.
final class RegistryObject: HandledObject {
    static let tag: UInt64 = 0x6d74_6c72_7265_6773  // "mtlrregs"
    static let typeName = "mtlr_registry"

    private let value: Lock<Registry>

    init(_ registry: Registry) { value = Lock(registry) }

    /// The backends and learners as they are now.
    var registry: Registry { value.withLock { $0 } }

    /// Adds a backend, or leaves everything as it is.
    func add(
        _ adding: (EstimatorRegistry) throws(MetaLearnersError) -> EstimatorRegistry
    ) throws(MetaLearnersError) {
        try value.withLock { registry throws(MetaLearnersError) in
            registry = try registry.changingEstimators(adding)
        }
    }
}
