using QueueWorkers.Steps;

namespace QueueWorkers.Deployment.Framework;

/// <summary>
/// The roles of an application that names none: one for each step, with what the framework and the step's policy need.
/// A step gets its role when the deployment knows its password, such as <c>LABEL_DB_PASSWORD</c>.
/// </summary>
public sealed class StepRoles : IDatabaseRoles
{
    /// <inheritdoc />
    public IEnumerable<(string Process, IReadOnlyList<string> Grants)> RolesOf(StepCatalogue catalogue) =>
        catalogue.Steps.Select(step =>
            (step.Name, (IReadOnlyList<string>)[.. FrameworkGrants.Worker, .. step.Policy.Grants])
        );
}
