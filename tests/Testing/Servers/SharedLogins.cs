namespace Orders.Testing.Servers;

/// <summary>
/// The password of every process's role and broker user in tests. Roles belong to the whole server and users to the
/// whole broker, so fixtures that deploy them side by side have to agree.
/// </summary>
public static class SharedLogins
{
    /// <summary>With everything that a connection string, SQL or a shell would take for something else.</summary>
    public const string Password = "a;b \"c$d' e\\f=%";
}
