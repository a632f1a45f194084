using QueueWorkers.Steps;

namespace QueueWorkers.Deployment;

/// <summary>
/// What each process may do in the database: a role per process. Implemented once by the application, out of
/// <see cref="FrameworkGrants"/> and rights on its own tables.
/// </summary>
public interface IDatabaseRoles
{
    /// <summary>The processes and their grants, such as <c>select, insert on parcels</c>.</summary>
    IEnumerable<(string Process, IReadOnlyList<string> Grants)> RolesOf(StepCatalogue catalogue);
}
