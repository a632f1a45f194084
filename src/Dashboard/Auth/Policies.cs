using QueueWorkers.Operators;

namespace Orders.Dashboard.Auth;

/// <summary>The names of the three policies, one per role; a role may do all that a lower one may.</summary>
internal static class Policies
{
    /// <summary>Looks, changes nothing.</summary>
    public const string Viewer = "viewer";

    /// <summary>Redrives, archives, pauses.</summary>
    public const string Operator = "operator";

    /// <summary>Reveals personal data, edits messages, manages operators.</summary>
    public const string Admin = "admin";

    /// <summary>The policy that asks for at least a role.</summary>
    public static string Of(OperatorRole role) =>
        role switch
        {
            OperatorRole.Admin => Admin,
            OperatorRole.Operator => Operator,
            _ => Viewer,
        };
}
