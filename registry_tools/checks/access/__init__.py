"""SQL and an account in, the account after it and who may do what in it out: a small model of Snowflake's access rules.

It knows the statements with which a mesh is set up, granted and built, and refuses every other one: what is shown to
hold by this model is then shown of the SQL that runs. Each rule names the page of Snowflake's documentation that it is
from. Not modelled: secondary roles, what those grant who may pass a privilege on, clones, masking and row access
policies, and what a query reads.
"""
